"""The stand-in for Azure Monitor without HTTP between: what the SDKs would send and be answered."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from shared.adapters.azure.azure_monitor import UNSENT
from shared.adapters.azure.azure_monitor_limits import (
    event_fault,
    failure_fault,
    metric_fault,
    span_fault,
)
from shared.adapters.azure.breeze import Envelope, event_envelope, span_envelope
from shared.errors import RetryLater
from shared.ports import Table
from shared.rows import (
    EventRow,
    Exported,
    ExportOutcome,
    ExportRefused,
    FailureRow,
    MetricRow,
    SpanRow,
)
from standin.monitor.store import MonitorStore

ROLE = "agentmeter"
INSTRUMENTATION_KEY = "00000000-0000-0000-0000-000000000000"
NUMBERS: Mapping[str, Callable[[Any], object]] = {"real": float, "decimal": Decimal}
"""Cells that come as text where JSON has no number for them."""

Row = TypeVar("Row", EventRow, MetricRow, SpanRow, FailureRow)


class DirectExporter:
    """Tracks the envelopes that AzureMonitorExporter would send; fits ports.Exporter."""

    def __init__(self, store: MonitorStore) -> None:
        self._store = store

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Write the rows to AppEvents; return as many outcomes, in order."""
        return self._track(
            rows, event_fault, lambda row: event_envelope(row, INSTRUMENTATION_KEY, ROLE)
        )

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Write the rows to AppMetrics; as events()."""
        return self._track(rows, metric_fault, metric_envelope)

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Write the rows to AppDependencies; as events()."""
        return self._track(rows, span_fault, lambda row: span_envelope(row, INSTRUMENTATION_KEY))

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Write the rows to AppExceptions; as events()."""
        return self._track(rows, failure_fault, failure_envelope)

    def _track(
        self,
        rows: Sequence[Row],
        fault: Callable[[Row], str],
        envelope: Callable[[Row], Envelope],
    ) -> list[ExportOutcome]:
        """Refuse the rows that have a fault, as AzureMonitorExporter does, and track the others."""
        faults = [fault(row) for row in rows]
        sound = [envelope(row) for row, wrong in zip(rows, faults, strict=True) if not wrong]
        refused = {error.index: error for error in self._store.track(sound).errors}
        tracked = iter(
            ExportRefused(refused[n].status, refused[n].message) if n in refused else Exported()
            for n in range(len(sound))
        )
        return [ExportRefused(UNSENT, wrong) if wrong else next(tracked) for wrong in faults]


def metric_envelope(row: MetricRow) -> Envelope:
    """Return the row as the SDK writes it."""
    metric: dict[str, object] = {"name": row.name, "value": row.total, "count": row.count}
    if row.low is not None:
        metric |= {"min": row.low, "max": row.high}
    return _envelope("Metric", row.time, {}, {"properties": dict(row.labels), "metrics": [metric]})


def failure_envelope(row: FailureRow) -> Envelope:
    """Return the row as the SDK writes it."""
    tags = {"ai.operation.id": row.trace_id, "ai.operation.parentId": row.parent_id}
    thrown = {"typeName": row.type, "message": row.message or row.type, "hasFullStack": True}
    data = {
        "severityLevel": "Error",
        "exceptions": [{**thrown, "stack": row.stack}],
        "properties": dict(row.text),
    }
    return _envelope("Exception", row.time, tags, data)


def _envelope(kind: str, at: datetime, tags: Mapping[str, str], data: Envelope) -> Envelope:
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "time": at.astimezone(UTC).isoformat(),
        "iKey": INSTRUMENTATION_KEY,
        "tags": {"ai.cloud.role": ROLE, **tags},
        "data": {"baseType": f"{kind}Data", "baseData": {"ver": 2, **data}},
    }


class DirectLog:
    """Asks the store what LogAnalytics would ask the service; fits ports.UsageLog."""

    def __init__(self, store: MonitorStore) -> None:
        self._store = store

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Run the query over rows with start <= TimeGenerated < end.

        Raises:
            RetryLater: the query took too long, or has too many rows.
            GiveUp: the query itself is wrong.
        """
        answer = self._store.query(kql, start, end)
        if answer.partial:
            raise RetryLater("The answer has more rows than fit. Narrow the query.")
        cells = [NUMBERS.get(kind) for kind in answer.types]
        rows = (
            tuple(
                cell(value) if cell and value is not None else value
                for cell, value in zip(cells, row, strict=True)
            )
            for row in answer.rows
        )
        return Table(answer.columns, tuple(rows))
