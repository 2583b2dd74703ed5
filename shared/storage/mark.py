"""How far the running totals are written to AppMetrics: a head, and rows that never change."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from pydantic import TypeAdapter

from shared.errors import RetryLater
from shared.mark_port import EVERY_METRIC, NEVER, Written
from shared.rows import MetricRow
from shared.storage.landed_mark import landed_written
from shared.storage.packing import packed, parts_of, unpacked
from shared.storage.quarantine import Copies
from shared.storage.rows import (
    EVERY,
    Change,
    Conflict,
    Delete,
    Insert,
    Replace,
    Row,
    Rows,
    commit_present,
)
from shared.storage.series_rows import size_of, texts_of, totals_fields, totals_of, totals_texts
from shared.storage.totals import Totals

FASTER = "Another process writes the metrics of this minute; the next tick goes on."
_PARTITION = "mark"
_HEAD = "head"
_OWED = "owed"
MOST_BYTES = 2_700_000
MOST_ROWS = 90
"""Of a transaction, of which the last one writes the head."""
_ROWS = TypeAdapter(tuple[MetricRow, ...])
_ROW = TypeAdapter(MetricRow)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The rows of a metric: its totals as they once were, and those that changed since."""

    whole: Sequence[str] = ()
    since: Sequence[str] = ()

    @property
    def rows(self) -> Sequence[str]:
        """Return all of them, in the order in which they count."""
        return [*self.whole, *self.since]


@dataclass(frozen=True, slots=True)
class _Head:
    """Which rows count. version: as Written has it, and all but the rows as well."""

    version: int = 0
    minute: datetime = NEVER
    until: datetime = NEVER
    metrics: Mapping[str, _Kept] = field(default_factory=dict[str, _Kept])
    owed: Sequence[str] = ()

    def keys(self) -> set[str]:
        """Return the rows that it names."""
        return {_HEAD, *self.owed, *(key for one in self.metrics.values() for key in one.rows)}

    def wholes(self) -> "_Head":
        """Return it without what changed since."""
        return replace(self, metrics={m: _Kept(kept.whole) for m, kept in self.metrics.items()})


_HEADS = TypeAdapter(_Head)


class RowMark:
    """Rows of one partition, of which a head says which count; fits ports.Mark.

    A minute writes the series that changed, and the head last: what dies before it changes nothing,
    and is removed later.
    """

    def __init__(self, rows: Rows, copies: Copies | None = None) -> None:
        """copies: where rows that cannot be read are kept; among the others, unless given."""
        self._rows = rows
        self._copies = copies or Copies(rows)
        self._read: dict[str, Totals | None] = {}

    def load(self) -> Written:
        """Return what is stored.

        Raises:
            RetryLater: it changed while it was read.
        """
        row = self._rows.get(_PARTITION, _HEAD)
        if row is None:
            return Written()
        found = self._copies.attempt(self._landed if _is_landed(row) else self._written, row)
        return found or Written(row.number("version"), lost=frozenset({EVERY_METRIC}))

    def _landed(self, row: Row) -> Written:
        return landed_written(self._rows, row, _PARTITION)

    def _written(self, row: Row) -> Written:
        """Return what a head and its rows hold. Raises ValueError where the head is damaged."""
        head = _head_of(row)
        totals, lost = Totals(), set[str]()
        for metric, known in self._known(head).items():
            totals.replace(known or Totals())
            lost |= {metric} if known is None else set()
        owed = self._rows.get_each([(_PARTITION, key) for key in head.owed]) if head.owed else ()
        parts = [self._copies.attempt(_metric_rows, _there(row)) or () for row in owed]
        return Written(
            head.version,
            head.minute,
            totals.state(),
            tuple(chain(*parts)),
            head.until,
            frozenset(lost),
        )

    def save(self, written: Written) -> Written:
        """Store it in place of what has its version, or raise RetryLater and change nothing."""
        saved = replace(written, version=written.version + 1)
        row = self._rows.get(_PARTITION, _HEAD)
        if (row.number("version") if row else 0) != written.version:
            raise RetryLater(FASTER)
        before = (self._copies.attempt(_head_of, row) if row else None) or _Head()
        if before.version:
            self._remove(before)
        new = _New(saved.version)
        metrics = dict(self._grown(before, saved, new))
        texts = texts_of(_ROW.dump_json(one).decode() for one in saved.owed)
        owed = new.rows(_OWED, texts) if saved.owed else ()
        head = _Head(saved.version, saved.minute, saved.until, metrics, owed)
        text = _HEADS.dump_json(head).decode()
        fields = {"version": head.version, **packed(text, "the list of metrics.")}
        flip: Change = Replace(_HEAD, fields, row.etag) if row else Insert(_HEAD, fields)
        try:
            *early, last = new.transactions()
            for some in early:
                self._rows.commit(_PARTITION, some)
            self._rows.commit(_PARTITION, [*last, flip])
        except Conflict:
            raise RetryLater(FASTER) from None
        return saved

    def _grown(self, before: _Head, saved: Written, new: "_New") -> Iterator[tuple[str, _Kept]]:
        """Yield the rows of each metric; those that hold what changed are new."""
        yield from ((one, before.metrics[one]) for one in saved.lost & before.metrics.keys())
        known = self._known(before)
        wholes = self._known(before.wholes())
        for metric, now in Totals.of(saved.totals).by_metric().items():
            if now == known.get(metric):
                yield metric, before.metrics[metric]
                continue
            whole = wholes.get(metric)
            changed = now.changed_since(whole) if whole else None
            if whole is None or changed is None or len(changed) * 2 > len(whole):
                yield metric, _Kept(new.rows(metric, totals_texts(now)))
            else:
                since = new.rows(metric, totals_texts(changed))
                yield metric, _Kept(before.metrics[metric].whole, since)

    def _known(self, head: _Head) -> Mapping[str, Totals | None]:
        """Return the totals of each metric, None where a row of it cannot be read."""
        self._take(head)
        found: dict[str, Totals | None] = {}
        for metric, kept in head.metrics.items():
            parts = [self._read[key] for key in kept.rows]
            of_metric = Totals()
            for part in parts:
                of_metric.replace(part or of_metric)
            found[metric] = None if None in parts else of_metric
        return found

    def _take(self, head: _Head) -> None:
        """Read the rows that the head names; they never change, so that each is read once."""
        wanted = {key for kept in head.metrics.values() for key in kept.rows}
        if missing := sorted(wanted - self._read.keys()):
            for row in self._rows.get_each([(_PARTITION, key) for key in missing]):
                self._read[_there(row).key] = self._copies.attempt(totals_of, _there(row))

    def _remove(self, head: _Head) -> None:
        """Delete what the head does not name: rows that counted before it, or never did.

        Those of a later version may be about to count.
        """
        named = head.keys()
        self._read = {key: part for key, part in self._read.items() if key in named}
        found = self._rows.query(_PARTITION, EVERY, "version")
        old = (row for row in found if row.number("version") <= head.version)
        for some in parts_of(row.key for row in old if row.key not in named):
            commit_present(self._rows, _PARTITION, [Delete(key) for key in some])


class _New:
    """The rows that a version writes, under keys that no other writer of it has."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._token = secrets.token_hex(4)
        self._made: list[Insert] = []

    def rows(self, name: str, texts: Iterable[str]) -> list[str]:
        """Add rows that hold these texts; return their keys."""
        made = [
            Insert(
                f"{name}:{self._version:08}:{self._token}:{n}",
                {"version": self._version, **totals_fields(text)},
            )
            for n, text in enumerate(texts)
        ]
        self._made += made
        return [one.key for one in made]

    def transactions(self) -> list[list[Insert]]:
        """Return what each transaction inserts; one at least."""
        found: list[list[Insert]] = [[]]
        for one in self._made:
            if len(found[-1]) == MOST_ROWS or size_of([*found[-1], one]) > MOST_BYTES:
                found.append([])
            found[-1].append(one)
        return found


def _head_of(row: Row) -> _Head:
    """Read the head; the edition before listed no rows in it."""
    if _is_landed(row):
        return _Head()
    return _HEADS.validate_json(unpacked(row))


def _is_landed(row: Row) -> bool:
    return "parts" in row.fields


def _metric_rows(row: Row) -> tuple[MetricRow, ...]:
    return _ROWS.validate_json(unpacked(row))


def _there(row: Row | None) -> Row:
    if row is None:
        raise RetryLater(FASTER)
    return row
