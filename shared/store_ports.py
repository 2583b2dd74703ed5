"""What remembers between two invocations, as Protocols that the stores over rows fit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.alerting.history import Step, StepLog
from shared.alerting.muting import Silence
from shared.alerting.page import Delivery, Page
from shared.alerting.record import RuleRecord
from shared.alerting.tallies import NO_TALLIES, Tallies
from shared.metrics.points import Point, SeriesState


class SeriesStore(Protocol):
    """The running totals behind GET /metrics, the same whichever instance answers."""

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        """Add points and tallies in one step, once per batch_id; False if it was added before.

        A gauge keeps the sample with the latest time, which is `at` at the latest. Compaction drops
        gauges that were not sampled for an hour, and the oldest samples of a gauge that has
        thousands, which are counted if they were not stale yet.
        Raises:
            RetryLater: the store did not answer.
        """
        ...

    def applied(self, batch_id: str) -> bool:
        """Return whether that batch was added before."""
        ...

    def read(self) -> SeriesState:
        """Return every series."""
        ...

    def tallies(self, since: datetime) -> Tallies:
        """Return the tallies of each slice of 15 s from that moment's on, of 15 minutes at most."""
        ...

    def compact(self, now: datetime) -> None:
        """Fold what was added into fewer rows; what is read stays the same."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop the memory of batches added before that moment; return how many."""
        ...


class Use(NamedTuple):
    """hour: when a value was last used, since 1970. sender: a digest of who brought it, "" where
    that is not known."""

    hour: int
    sender: str


class LabelBook(Protocol):
    """The label values, and series of metrics, that were let in, so that no caller can grow a
    metric without end."""

    def admit(self, label: str, values: Mapping[str, str], most: int, at: datetime) -> set[str]:
        """Return those of the values that are in the book, adding new ones while there is room.

        values: value → who sent it. At most `most` values of a label are in the book at `at`,
        however many instances add at once.
        """
        ...

    def all(self, at: datetime) -> Mapping[str, Mapping[str, Use]]:
        """Return every label and its values. at: now, for values of which no use is known."""
        ...

    def free(self, label: str, values: Iterable[str], at: datetime) -> Sequence[str]:
        """Drop the values from the label's book; return those that were in it.

        Raises:
            RetryLater: the store did not answer, or others were faster too often.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stored state that cannot be read, wholly or in part, and was set aside.

    kind: record, page, silence, or row of other state. rule: the rule's key, the silence, or the
    row. why: what of it is lost.
    """

    id: str
    kind: str
    rule: str
    why: str


class SetAside(Protocol):
    """Stored alert state that could not be read when it was needed."""

    def listed(self) -> Sequence[Unreadable]:
        """Return all of it."""
        ...

    def discard(self, id: str) -> bool:
        """Remove one; return whether there was one with that id."""
        ...


class AlertStore(Protocol):
    """State, incident, outgoing pages and history of each rule, changed together or not at all."""

    @property
    def log(self) -> StepLog:
        """The history; save() and settle() add to it."""
        ...

    def load(self, rule: str) -> RuleRecord:
        """Return the record of the rule, or a fresh one with version 0."""
        ...

    def load_all(self) -> Sequence[RuleRecord]:
        """Return the record of every rule that has one."""
        ...

    def save(
        self, record: RuleRecord, pages: Sequence[Page], steps: Sequence[Step] = ()
    ) -> RuleRecord:
        """Store the record, add the pages to the outbox and the steps to the log, in one
        transaction.

        Returns the record with its new version.
        Raises:
            RetryLater: the stored version is not record.version: another was faster; or
                the store did not answer. Nothing was written.
        """
        ...

    def due(self, now: datetime, most: int) -> Sequence[Page]:
        """Return waiting pages with not_before <= now, oldest first, at most one per dedup_key:
        the oldest of that key, and none while that oldest is not due."""
        ...

    def lease(self, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
        """Take a waiting page for an attempt that begins now, so that no other makes one
        before `until`; return it so. None where it has left, or another has taken or tried it
        since it was read.

        token: names who takes it; settle() passes over a page that another token holds by then.
        """
        ...

    def settle(
        self, page: Page, outcome: Delivery, not_before: datetime, steps: Sequence[Step] = ()
    ) -> None:
        """Record an attempt, and its steps. Accepted, dead and dropped pages leave the outbox (they
        stay in `history`), a later one waits until not_before with one attempt more. Of a page that
        leaves, not_before is the moment of the attempt, as `history` shows it."""
        ...

    def waiting(self) -> Sequence[Page]:
        """Return every page of the outbox, oldest first."""
        ...

    def history(self, most: int) -> Sequence[tuple[Page, Delivery, datetime]]:
        """Return the latest settled pages with their outcome, newest first."""
        ...


class SilenceStore(Protocol):
    """The silences."""

    def all(self) -> Sequence[Silence]:
        """Return every silence that is kept, those that have ended included, by start and id."""
        ...

    def add(self, silence: Silence) -> None:
        """Keep the silence; one with its id that is there already is replaced.

        Raises:
            RetryLater: the store did not answer.
        """
        ...

    def end(self, id: str, at: datetime) -> Silence | None:
        """End the silence at that moment and return it; None where there is none with that id.

        One that has ended before is returned as it is.
        """
        ...

    def forget(self, before: datetime) -> int:
        """Drop silences that ended before that moment; return how many."""
        ...


class Texts(Protocol):
    """Keeps texts by name."""

    def read(self, name: str) -> str | None:
        """Return the text by that name, or None."""
        ...

    def write(self, name: str, text: str) -> None:
        """Keep the text in place of what had that name."""
        ...
