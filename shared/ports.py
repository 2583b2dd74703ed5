"""What the use cases need from outside, as Protocols that adapters and notifiers fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.alerting.page import Delivery, Page
from shared.rows import (
    EventRow,
    ExportOutcome,
    FailureRow,
    MetricRow,
    SpanRow,
)


class Exporter(Protocol):
    """Exports telemetry to Azure Monitor synchronously, with an outcome for every item."""

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppEvents; return as many outcomes, in order. Never raises for the
        other side's failures."""
        ...

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppMetrics; as events()."""
        ...

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppDependencies; as events()."""
        ...

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppExceptions; as events()."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to a query. Datetimes are aware; dynamic values are JSON text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


class UsageLog(Protocol):
    """Asks KQL of what was exported."""

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Run the query over rows with start <= TimeGenerated < end.

        Raises:
            RetryLater: no answer, a partial answer, throttled.
            GiveUp: the query itself is wrong; the message is the service's own.
        """
        ...


class EventQueue(Protocol):
    """Where accepted events wait to be processed."""

    def put(self, messages: Sequence[str]) -> None:
        """Store the messages durably, within 5 s.

        Raises:
            RetryLater: it did not take them all; some may be stored, and count once when all are
                sent again.
            Misconfigured: the queue may not be written to.
        """
        ...


class PoisonQueue(Protocol):
    """Where messages go that failed too often, and events that Azure Monitor refused."""

    def count(self) -> int:
        """Return how many messages there are.

        Raises:
            RetryLater: no answer.
            Misconfigured: the queue may not be seen.
        """
        ...


class Heartbeat(Protocol):
    """Sends a heartbeat to a service outside after a run that went well."""

    def beat(self) -> None:
        """Send it once. Never raises."""
        ...


class Owners(Protocol):
    """Knows what holds the incidents that pages open: a key of PagerDuty, say, or an address.

    An owner is a text without any secret, which goes on to name it when settings and routes change.
    """

    def owner(self, route: str) -> str:
        """Return what holds an incident that a page to that receiver opens; "" for what is not
        known, such as where the receiver's key is not set."""
        ...

    def reaches(self, owner: str, route: str) -> bool:
        """Return whether an incident that was opened so can still be closed."""
        ...


class Receivers(Protocol):
    """Finds how a page is sent."""

    def notifier(self, page: Page) -> "Notifier":
        """Return what reaches the page's owner, or else its receiver; one that says so where
        neither is reached."""
        ...

    def destination(self, page: Page) -> str:
        """Return the destination whose rate limit the page shares."""
        ...


class Notifier(Protocol):
    """Sends pages to a person."""

    def send(self, page: Page) -> Delivery:
        """Make one attempt. Never raises; never says a secret."""
        ...


class Turns(Protocol):
    """When rules were last evaluated, and who stands in for the timer where that is long ago."""

    def evaluated(self, at: datetime) -> None:
        """Note that all rules were evaluated, which ends the turn of any other.

        Raises:
            RetryLater: the store did not answer.
        """
        ...

    def take(self, now: datetime, overdue: timedelta, until: datetime) -> bool:
        """Take the turn until then; False where another has it, or that was done within overdue.

        Raises:
            RetryLater: the store did not answer.
        """
        ...
