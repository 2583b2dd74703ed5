"""How many agents are at work in this process, counted by the guards themselves."""

from __future__ import annotations

import threading
import time

REPEAT_AFTER_S = 60.0
"""A gauge is stale after 5 minutes without a sample."""


class ActiveAgents:
    """Counts by agent type."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._at_work: dict[str, int] = {}
        self._sent: dict[str, tuple[int, float]] = {}

    def change(self, agent_type: str, by: int) -> None:
        """Note that an agent began (1) or ended (-1) its work."""
        with self._lock:
            self._at_work[agent_type] = max(0, self._at_work.get(agent_type, 0) + by)

    def news(self) -> list[tuple[str, int]]:
        """Return what must be sent: types whose number changed, and repeats of those at work."""
        moment = time.monotonic()
        with self._lock:
            due = [
                (kind, number)
                for kind, number in self._at_work.items()
                if self._is_news(kind, number, moment)
            ]
            for kind, number in due:
                self._sent[kind] = number, moment
                if not number:
                    del self._at_work[kind], self._sent[kind]
            return due

    def _is_news(self, kind: str, number: int, moment: float) -> bool:
        """Return whether this number was never sent, or so long ago that it would grow stale."""
        sent, at = self._sent.get(kind, (None, moment))
        return sent != number or moment - at >= REPEAT_AFTER_S
