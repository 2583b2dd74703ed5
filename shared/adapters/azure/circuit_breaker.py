"""Spares an ingestion that takes nothing: one request asks again, all others wait unsent."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from shared.ports import Exporter
from shared.rows import EventRow, ExportLater, ExportOutcome, FailureRow, MetricRow, SpanRow

RESTS_S = (0, 2, 5, 15)
"""From a failed request to the next that is sent, by how many failed in a row: one alone is a blip.

What is sent to a service that does not answer holds an invocation for its whole time-out; without
this, invocations that wait would keep new messages from being tallied, and the timer from judging.
"""
SLOW_S = 5
"""A request that fails so late counts twice: silence is no blip."""
T = TypeVar("T")


class CircuitBreaker:
    """An Exporter for all threads of a process, in front of another.

    seconds: reads the time; a clock that is set back ends a rest.
    """

    def __init__(self, exporter: Exporter, seconds: Callable[[], float]) -> None:
        self._exporter = exporter
        self._seconds = seconds
        self._lock = Lock()
        self._failures = 0
        self._failed_at = 0.0
        self._why = ""
        self._is_asking = False

    @property
    def closed(self) -> str:
        """Return why nothing is sent now; "" where it is."""
        with self._lock:
            return self._closed(self._seconds())

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppEvents, unless it is no use; as Exporter."""
        return self._send(self._exporter.events, rows)

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppMetrics; as events()."""
        return self._send(self._exporter.metrics, rows)

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppDependencies; as events()."""
        return self._send(self._exporter.spans, rows)

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppExceptions; as events()."""
        return self._send(self._exporter.failures, rows)

    def _send(
        self, send: Callable[[Sequence[T]], Sequence[ExportOutcome]], rows: Sequence[T]
    ) -> Sequence[ExportOutcome]:
        began = self._seconds()
        with self._lock:
            if why := self._closed(began):
                return [ExportLater(why)] * len(rows)
            is_asking = self._is_asking = self._failures > 1
        try:
            outcomes = send(rows)
            self._note(outcomes, began)
        finally:
            if is_asking:
                self._is_asking = False
        return outcomes

    def _closed(self, now: float) -> str:
        rest_s = RESTS_S[min(self._failures, len(RESTS_S)) - 1] if self._failures else 0
        is_over = not 0 <= now - self._failed_at < rest_s and not self._is_asking
        return "" if self._failures < 2 or is_over else self._why

    def _note(self, outcomes: Sequence[ExportOutcome], began: float) -> None:
        """Count a request of which nothing was taken; those that ran at once count as one."""
        if not outcomes:
            return
        later = [one.why for one in outcomes if isinstance(one, ExportLater)]
        with self._lock:
            if len(later) < len(outcomes):
                self._failures = 0
            elif began >= self._failed_at or not self._failures:
                self._failed_at = self._seconds()
                self._failures += 2 if self._failed_at - began >= SLOW_S else 1
                self._why = f"{later[0].rstrip('.')}. Until it does again, one request asks."
