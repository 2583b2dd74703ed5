"""A piece of work under measure: what it is, how it went, how long it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from agentmeter_client.trace import traceparent

Result = TypeVar("Result")
Emit = Callable[[str, "str | None", Mapping[str, str], Mapping[str, object]], None]
"""Takes kind, traceparent, attribution, data. Never raises, never waits."""

CANCELLED = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt)


class Words(NamedTuple):
    """How a kind of event says what became of the work."""

    field: str = "status"
    good: str = "success"
    bad: str = "error"
    cancelled: str = "cancelled"


class Work:
    """Measures from its making to end(), which makes the event.

    status: what became of it, where it is neither success nor the error that was raised.
    """

    __slots__ = ("_data", "_emit", "_kind", "_started", "_traceparent", "_words", "status", "who")

    def __init__(
        self,
        emit: Emit,
        kind: str,
        words: Words,
        who: Mapping[str, str],
        data: dict[str, object],
    ) -> None:
        self._emit = emit
        self._kind = kind
        self._words = words
        self._data = data
        self._traceparent = traceparent()
        self.who = who
        self.status: str | int | None = None
        self._started = time.perf_counter()

    def note(self, **fields: object) -> None:
        """Set fields of the event, such as `error` or `team_size` of a mission."""
        self._data.update(fields)

    def observe(self, result: Result) -> Result:
        """Look at what a decorated function returned."""
        return result

    def observe_item(self, item: object) -> None:
        """Look at what a decorated generator yielded."""

    def finish_items(self) -> None:
        """Note that a decorated generator ran to its end."""

    def end(self, error: BaseException | None = None) -> None:
        """Make the event."""
        data = self._data
        data["duration_s"] = time.perf_counter() - self._started
        status = self.status
        data[self._words.field] = self._verdict(error) if status is None else str(status)
        self._emit(self._kind, self._traceparent, self.who, data)

    def _verdict(self, error: BaseException | None) -> str:
        """Return how the work went."""
        if error is None:
            return self._words.good
        return self._words.cancelled if isinstance(error, CANCELLED) else self._words.bad
