"""Folds what messages added into fewer rows: the arithmetic of one step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from shared.alerting.tallies import KEPT, Tallies, merge_all, slice_of
from shared.metrics.own import SERIES_CAPPED
from shared.metrics.points import Counted
from shared.metrics.prometheus import STALE_AFTER
from shared.storage.packing import packed
from shared.storage.rows import Insert
from shared.storage.series_rows import (
    Head,
    size_of,
    tallies_rows,
    totals_rows,
)
from shared.storage.totals import Totals

MOST_SAMPLES = 2_000
"""Samples of a gauge, by labels and source: as many as surely fit into a row."""
MOST_BYTES = 2_700_000
"""Of one step, which is one transaction: a third more in base64, and the list of messages."""
YOUNG_BYTES = 24_000
"""From there on what was added of late joins what was added before."""
ROLLING = timedelta(hours=1)
"""How long instances of the edition before may still add to what it wrote."""
MARKERS_LIVE = timedelta(days=8)
ABSORBED_AT_ONCE = 2
"""Metrics, each of which may fill a row."""


class Added(NamedTuple):
    """What a row that a message added holds. key: the row's."""

    key: str
    totals: Totals
    tallies: Tallies


Load = Callable[[Sequence[str]], Totals]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a step starts from.

    load: reads rows of totals. tallies: what the rows of tallies hold. landed: the totals of
    metrics as the edition before wrote them.
    """

    head: Head
    load: Load
    tallies: Tallies
    landed: Mapping[str, Totals]


@dataclass(frozen=True, slots=True)
class Step:
    """A new head, and the rows that come with it."""

    head: Head
    rows: Sequence[Insert]


def step(stored: Stored, additions: Sequence[Added], now: datetime) -> Step:
    """Return the step that folds the additions, or as many of them as one transaction takes."""
    while True:
        folding = _Folding(stored, now)
        folding.add(additions)
        if size_of(folding.rows) <= MOST_BYTES or len(additions) < 2:
            return folding.step(additions)
        additions = additions[: len(additions) // 2]


class _Folding:
    """A step in the making."""

    def __init__(self, stored: Stored, now: datetime) -> None:
        self._stored = stored
        self._now = now
        self._version = stored.head.version + 1
        self._young = dict(stored.head.young)
        self._old = dict(stored.head.old)
        self._trash = list[str]()
        self._landed = self._left()
        self.rows = list[Insert]()

    def add(self, additions: Sequence[Added]) -> None:
        """Add what the messages added, and some of what the edition before wrote."""
        added = Totals()
        for metric in self._absorbed():
            added.merge(self._stored.landed[metric])
        added.clamp_gauges(self._now)
        for row in additions:
            added.merge(row.totals)
        capped = Totals()
        for metric, totals in added.by_metric().items():
            if metric != SERIES_CAPPED.name:
                self._grow(metric, totals, capped)
            else:
                capped.merge(totals)
        if capped.counters:
            self._grow(SERIES_CAPPED.name, capped, Totals())

    def step(self, additions: Sequence[Added]) -> Step:
        """Return the whole step, which folds the additions that were added."""
        head = self._stored.head
        parts = merge_all([self._stored.tallies, *(row.tallies for row in additions)])
        first = slice_of(self._now - KEPT)
        tallies = {key: tally for key, tally in parts.items() if key.slice >= first}
        tallied = tallies_rows(self._version, tallies)
        since = self._now if head.landed is None else head.since
        is_new = head.landed is None and not self._stored.landed
        new = Head(
            version=self._version,
            at=self._now,
            since=since,
            young=self._young,
            old=self._old,
            tallies=[row.key for row in tallied],
            trash=[*(row.key for row in additions), *head.tallies, *self._trash],
            landed=self._landed,
            markers=head.markers and self._now - since < MARKERS_LIVE and not is_new,
        )
        return Step(new, [*self.rows, *tallied, *_index(additions, self._version)])

    def _left(self) -> list[str]:
        """Return the metrics that the edition before wrote and that are not absorbed yet."""
        landed = self._stored.head.landed
        return sorted(self._stored.landed if landed is None else landed)

    def _absorbed(self) -> list[str]:
        """Return the metrics to absorb now: none while that edition may still run."""
        if self._stored.head.landed is None or self._now - self._stored.head.since < ROLLING:
            return []
        now, self._landed = self._landed[:ABSORBED_AT_ONCE], self._landed[ABSORBED_AT_ONCE:]
        return [metric for metric in now if metric in self._stored.landed]

    def _grow(self, metric: str, added: Totals, capped: Totals) -> None:
        """Write the young rows of the metric anew, or join them to the old ones where they are
        large; count dropped samples in `capped`."""
        young = self._stored.load(self._young.get(metric, ()))
        young.merge(added)
        young.drop_gauges(self._now)
        if dropped := young.drop_oldest_gauges(MOST_SAMPLES, self._now - STALE_AFTER):
            capped.add([Counted(SERIES_CAPPED.name, (("metric", metric),), Decimal(dropped))])
        self._trash += self._young.pop(metric, ())
        rows = totals_rows("y", metric, self._version, young)
        if size_of(rows) > YOUNG_BYTES and not young.gauges:
            whole = self._stored.load(self._old.get(metric, ()))
            whole.merge(young)
            joined = totals_rows("o", metric, self._version, whole)
            if size_of(self.rows) + size_of(joined) <= MOST_BYTES:
                self._trash += self._old.get(metric, ())
                self._old[metric] = [row.key for row in joined]
                self.rows += joined
                return
        self._young[metric] = [row.key for row in rows]
        self.rows += rows


def _index(additions: Sequence[Added], version: int) -> list[Insert]:
    """Return the row that lists the markers of these additions by the hour of the latest."""
    if not additions:
        return []
    batches = sorted({row.key.split(":")[3] for row in additions})
    hour = max(row.key.split(":")[2] for row in additions)[:10]
    fields = packed(" ".join(batches), "the markers of messages. Please report it.")
    return [Insert(f"i:{hour}:{version:08}", fields)]
