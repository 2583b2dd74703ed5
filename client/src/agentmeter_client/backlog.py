"""What waits in memory: bounded, the oldest gives way, and nothing is forgotten silently."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Mapping

from agentmeter_client.clock import now
from agentmeter_client.event import Event


class Backlog:
    """Events between the agent and the sender.

    The lock is held for a few operations of a deque and never while anything waits. It may be
    taken again by a finalizer that runs in the middle of put.
    """

    def __init__(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._line = secrets.token_hex(8)
        self._lock = threading.RLock()
        self._events: deque[Event] = deque()
        self._oldest_taken: int | None = None
        self._closed = False
        self.recorded = 0
        self.dropped = 0

    @property
    def line(self) -> str:
        """Return the random id of this process's line."""
        return self._line

    def put(
        self,
        source: str,
        kind: str,
        traceparent: str | None,
        who: Mapping[str, str],
        data: Mapping[str, object],
    ) -> int:
        """Add an event that happened now; return how many wait, 0 once it is closed."""
        with self._lock:
            self.recorded += 1
            if self._closed:
                self.dropped += 1
                return 0
            if len(self._events) >= self._limit:
                self._events.popleft()
                self.dropped += 1
            self._events.append(
                Event(self.recorded, self._line, source, kind, now(), traceparent, who, data)
            )
            return len(self._events)

    def take(self, count: int) -> list[Event]:
        """Hand out the oldest events; until settle() they count as not delivered."""
        with self._lock:
            taken = [self._events.popleft() for _ in range(min(count, len(self._events)))]
            if taken:
                self._oldest_taken = taken[0].number
            return taken

    def settle(self) -> None:
        """Note that all that was taken is delivered, refused, or safe on disk."""
        self._oldest_taken = None

    def close(self) -> None:
        """Take no more events; those that come are counted as dropped."""
        self._closed = True

    def settled(self, number: int) -> bool:
        """Say whether everything up to that number has left memory."""
        with self._lock:
            oldest = self._oldest_taken
            if oldest is None:
                oldest = self._events[0].number if self._events else None
            return oldest is None or oldest > number

    def __len__(self) -> int:
        return len(self._events)
