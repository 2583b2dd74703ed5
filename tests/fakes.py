"""Fakes that behave: what stands in for the outside world in tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.alerting.page import Later, Page
from shared.notify.receivers import Unreachable
from shared.ports import Notifier
from shared.rows import EventRow, Exported, ExportOutcome, FailureRow, MetricRow, SpanRow

START = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


class FakeClock:
    """Time that moves only when told to."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the moment it was last told."""
        return self._at

    def advance(self, **by: float) -> datetime:
        """Move on, as timedelta says it; return the new moment."""
        self._at += timedelta(**by)
        return self._at


class FakeExporter:
    """Keeps what it is sent, and answers as `event_outcome` and its like say."""

    def __init__(self) -> None:
        self.event_rows: list[EventRow] = []
        self.metric_rows: list[MetricRow] = []
        self.span_rows: list[SpanRow] = []
        self.failure_rows: list[FailureRow] = []
        self.event_outcome: Callable[[EventRow], ExportOutcome] = lambda row: Exported()
        self.metric_outcome: Callable[[MetricRow], ExportOutcome] = lambda row: Exported()
        self.span_outcome: Callable[[SpanRow], ExportOutcome] = lambda row: Exported()

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Keep the rows that it takes."""
        outcomes = [self.event_outcome(row) for row in rows]
        taken = zip(rows, outcomes, strict=True)
        self.event_rows += [row for row, outcome in taken if isinstance(outcome, Exported)]
        return outcomes

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Keep the rows that it takes."""
        outcomes = [self.metric_outcome(row) for row in rows]
        taken = zip(rows, outcomes, strict=True)
        self.metric_rows += [row for row, outcome in taken if isinstance(outcome, Exported)]
        return outcomes

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Keep the rows that it takes."""
        outcomes = [self.span_outcome(row) for row in rows]
        taken = zip(rows, outcomes, strict=True)
        self.span_rows += [row for row, outcome in taken if isinstance(outcome, Exported)]
        return outcomes

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Keep the rows."""
        self.failure_rows += rows
        return [Exported()] * len(rows)


@dataclass(frozen=True)
class FakeReceivers:
    """Knows notifiers by the receiver's name alone, as long as it is there."""

    notifiers: Mapping[str, Notifier]

    def notifier(self, page: Page) -> Notifier:
        """Return that of the page's receiver."""
        gone = Unreachable(Later(f"No receiver is named {page.route}.", cause="repair"))
        return self.notifiers.get(page.route, gone)

    def destination(self, page: Page) -> str:
        """Return the first receiver that has the same."""
        mine = self.notifiers.get(page.route)
        return next((name for name, one in self.notifiers.items() if one is mine), page.route)
