"""Running totals and tallies: a message inserts what it adds, and never rewrites anything.

Everything stands in one partition: `b:<batch>` marks a batch as added, `t:d:<time>:<batch>:<n>`
is what it added, `t:head` says which rows count, `i:<hour>:<version>` lists markers by age.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from shared.alerting.tallies import NO_TALLIES, Tallies, merge_all, slice_of
from shared.errors import Misconfigured, RetryLater
from shared.metrics.points import Point, SeriesState
from shared.storage.landed_series import LandedSeries
from shared.storage.packing import hour_of, parts_of, unpacked
from shared.storage.quarantine import Copies
from shared.storage.rows import (
    Change,
    Conflict,
    Delete,
    Insert,
    Range,
    Replace,
    Row,
    Rows,
    commit_present,
    prefix,
)
from shared.storage.series_compaction import Added, Stored, step
from shared.storage.series_rows import (
    TALLY_FIELDS,
    Head,
    head_fields,
    head_of,
    tallies_fields,
    tallies_of,
    totals_fields,
    totals_of,
    totals_texts,
)
from shared.storage.totals import Totals

_PARTITION = "totals"
_HEAD = "t:head"
_ADDITIONS = prefix("t:d:")
MOST_FOLDED = 10_000
_ATTEMPTS = 5
CALM = timedelta(seconds=30)
"""How long replaced rows stay, for readers that began before."""


class RowSeries:
    """Totals and tallies that every instance of the app shares; fits ports.SeriesStore.

    Compaction writes new rows, then a head that names them; a reader goes by one head. What a head
    replaced is deleted at the next compaction, so that one that dies leaves every total as it was.
    """

    def __init__(self, rows: Rows, copies: Copies | None = None) -> None:
        """copies: where rows that cannot be read are kept; among the others, unless given."""
        self._rows = rows
        self._copies = copies or Copies(rows)
        self._landed = LandedSeries(rows, self._copies)
        self._known: dict[str, Totals] = {}
        self._tallies: dict[str, Tallies] = {}

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        """Add points and tallies in one step, once per batch_id; False if it was added before.

        Raises:
            RetryLater: the store did not answer.
            GiveUp: the batch has more series than a transaction takes.
        """
        batch, totals = _digest(batch_id), Totals()
        totals.add(points)
        totals.clamp_gauges(at)
        parts = [totals_fields(text) for text in totals_texts(totals)]
        parts[0] = {**parts[0], **tallies_fields(tallies)}
        name = f"t:d:{at.astimezone(UTC):%Y%m%d%H%M%S%f}:{batch}"
        additions = [Insert(f"{name}:{n}", fields) for n, fields in enumerate(parts)]
        try:
            self._rows.commit(_PARTITION, [Insert(f"b:{batch}", {}), *additions])
        except Conflict:
            return False
        return True

    def applied(self, batch_id: str) -> bool:
        """Return whether that batch was added before."""
        if self._rows.get(_PARTITION, f"b:{_digest(batch_id)}"):
            return True
        row = self._rows.get(_PARTITION, _HEAD)
        head = self._copies.attempt(head_of, row) if row else None
        return (head or Head()).markers and self._landed.applied(batch_id)

    def read(self) -> SeriesState:
        """Return every series.

        Raises:
            RetryLater: the store did not answer, or compaction went by too often.
            Misconfigured: the list of what counts cannot be read.
        """
        for _ in range(_ATTEMPTS):
            head = self._head()
            totals = Totals()
            for metric, landed in self._unabsorbed(head).items():
                if head.landed is None or metric in head.landed:
                    totals.merge(landed)
            try:
                self._add(totals, head.totals_keys())
            except Conflict:
                continue
            for row in self._additions(head):
                totals.merge(self._totals_of(row))
            if self._is_current(head):
                self._known = {key: self._known[key] for key in head.totals_keys()}
                if head.version:
                    totals.drop_gauges(head.at)
                return totals.state()
        raise RetryLater("The totals were compacted while they were read. Ask again.")

    def tallies(self, since: datetime) -> Tallies:
        """Return the tallies of every slice from that moment's on. Raises as read()."""
        for _ in range(_ATTEMPTS):
            head = self._head()
            parts = self._tallied(head) | self._tallies_in(self._additions(head, *TALLY_FIELDS))
            if self._is_current(head):
                self._tallies = parts
                first, whole = slice_of(since), merge_all(parts.values())
                return {key: tally for key, tally in whole.items() if key.slice >= first}
        raise RetryLater("The tallies were compacted while they were read. Ask again.")

    def compact(self, now: datetime) -> None:
        """Fold what messages added into fewer rows, unless that was done moments ago.

        Raises:
            RetryLater: the store did not answer; every total is as it was.
        """
        row = self._rows.get(_PARTITION, _HEAD)
        head = self._head_in(row)
        if row and timedelta(0) <= now - head.at < CALM:
            return
        for some in parts_of(head.trash):
            commit_present(self._rows, _PARTITION, [Delete(key) for key in some])
        additions = self._additions(head)[:MOST_FOLDED]
        landed = self._unabsorbed(head)
        if not (additions or head.trash or landed or row is None):
            return
        stored = Stored(head, self._loaded, merge_all(self._tallied(head).values()), landed)
        added = [Added(row.key, self._totals_of(row), self._tallies_of(row)) for row in additions]
        try:
            done = step(stored, added, now)
            fields = head_fields(done.head)
            flip: Change = Replace(_HEAD, fields, row.etag) if row else Insert(_HEAD, fields)
            self._rows.commit(_PARTITION, [flip, *done.rows])
        except Conflict:
            return  # another instance was faster

    def forget(self, before: datetime) -> int:
        """Drop the memory of batches added in the hours before that moment's; return how many."""
        hour = hour_of(before)
        dropped = 0
        for row in self._rows.query(_PARTITION, Range("i:", f"i:{hour}")):
            for some in parts_of((self._copies.attempt(unpacked, row) or "").split()):
                markers = [Delete(f"b:{batch}") for batch in some]
                dropped += commit_present(self._rows, _PARTITION, markers)
            commit_present(self._rows, _PARTITION, [Delete(row.key)])
        return dropped + (self._landed.forget(hour) if self._head().markers else 0)

    def _unabsorbed(self, head: Head) -> Mapping[str, Totals]:
        """Return what the edition before wrote, where that still counts."""
        return self._landed.totals() if head.landed is None or head.landed else {}

    def _head(self) -> Head:
        return self._head_in(self._rows.get(_PARTITION, _HEAD))

    def _head_in(self, row: Row | None) -> Head:
        """Read the head.

        Raises:
            Misconfigured: it cannot be read.
        """
        if head := self._copies.attempt(head_of, row) if row else Head():
            return head
        raise Misconfigured(
            "Row t:head of table series, which lists the totals, cannot be read: /metrics, "
            "AppMetrics and fast conditions wait, messages are counted. See docs/lost-state.md."
        )

    def _is_current(self, head: Head) -> bool:
        """Return whether the head still says which rows count."""
        row = self._rows.get(_PARTITION, _HEAD, "version")
        return (row.number("version") if row else 0) == head.version

    def _additions(self, head: Head, *fields: str) -> Sequence[Row]:
        """Return what was added and not folded yet, oldest first."""
        folded = set(head.trash)
        found = self._rows.query(_PARTITION, _ADDITIONS, *fields)
        return [row for row in found if row.key not in folded]

    def _tallied(self, head: Head) -> dict[str, Tallies]:
        """Return what the rows of tallies hold; rows that are gone mean a newer head."""
        known = {key: self._tallies[key] for key in head.tallies if key in self._tallies}
        missing = [(_PARTITION, key) for key in head.tallies if key not in known]
        rows = self._rows.get_each(missing) if missing else ()
        return known | self._tallies_in(row for row in rows if row)

    def _tallies_in(self, rows: Iterable[Row]) -> dict[str, Tallies]:
        """Return what each row holds; none ever changes, so what the last run read is known."""
        known = self._tallies
        return {
            row.key: known[row.key] if row.key in known else self._tallies_of(row) for row in rows
        }

    def _totals_of(self, row: Row) -> Totals:
        return self._copies.attempt(totals_of, row) or Totals()

    def _tallies_of(self, row: Row) -> Tallies:
        return self._copies.attempt(tallies_of, row) or {}

    def _loaded(self, keys: Sequence[str]) -> Totals:
        totals = Totals()
        self._add(totals, keys)
        return totals

    def _add(self, totals: Totals, keys: Sequence[str]) -> None:
        """Add the rows of totals, which never change: each is read once.

        Raises:
            Conflict: one is gone, for another head counts by now.
        """
        known = self._known
        missing = [key for key in keys if key not in known]
        for row in self._rows.get_each([(_PARTITION, key) for key in missing]) if missing else ():
            if row is None:
                raise Conflict("The totals were compacted meanwhile.")
            known[row.key] = self._totals_of(row)
        for key in keys:
            totals.merge(known[key])


def _digest(batch_id: str) -> str:
    return sha256(batch_id.encode()).hexdigest()[:32]
