"""Azure Monitor that takes rows at once, or not at all, and shows them late."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from replay.azure import DirectExporter
from replay.plan import Plan
from shared.clock import Clock
from shared.rows import (
    EventRow,
    Exported,
    ExportLater,
    ExportOutcome,
    FailureRow,
    MetricRow,
    SpanRow,
)

GOLDEN = 0.6180339887
"""Multiples of it, without their whole part, lie evenly between 0 and 1 and in no order."""


class LateExporter:
    """Shows each row when the plan says so; fits ports.Exporter."""

    def __init__(self, exporter: DirectExporter, plan: Plan, clock: Clock) -> None:
        self._exporter = exporter
        self._plan = plan
        self._clock = clock
        self._count = 0
        self._waiting: list[tuple[datetime, Callable[..., object], object]] = []

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Take the rows for AppEvents; return as many outcomes, in order."""
        return self._take(rows, self._exporter.events)

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Take the rows for AppMetrics; as events()."""
        return self._take(rows, self._exporter.metrics)

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Take the rows for AppDependencies; as events()."""
        return self._take(rows, self._exporter.spans)

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Take the rows for AppExceptions; as events()."""
        return self._take(rows, self._exporter.failures)

    def show(self) -> None:
        """Let queries find what is due by now."""
        now = self._clock.now()
        due: dict[Callable[..., object], list[object]] = {}
        for at, send, row in self._waiting:
            if at <= now:
                due.setdefault(send, []).append(row)
        self._waiting = [one for one in self._waiting if one[0] > now]
        for send, rows in due.items():
            send(rows)

    def _take(
        self,
        rows: Sequence[EventRow] | Sequence[MetricRow] | Sequence[SpanRow] | Sequence[FailureRow],
        send: Callable[..., Sequence[ExportOutcome]],
    ) -> Sequence[ExportOutcome]:
        now = self._clock.now()
        status = self._plan.ingestion_status(now)
        if status is not None:
            return [ExportLater(f"HTTP {status}" if status else "no answer") for _ in rows]
        delay_s = self._plan.delay_s(now)
        if not delay_s and not self._plan.ingest_jitter_s:
            return send(rows)
        for row in rows:
            self._count += 1
            jitter_s = self._plan.ingest_jitter_s * (self._count * GOLDEN % 1)
            self._waiting.append((now + timedelta(seconds=delay_s + jitter_s), send, row))
        return [Exported() for _ in rows]
