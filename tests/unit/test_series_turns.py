"""Totals stay exact and never fall, however writers, compactions and readers meet, and die."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise

import pytest

from shared.alerting.tallies import SLICE_S, Tallies, Tally, TallyKey
from shared.metrics.points import Counted
from shared.storage.rows import Change, Rows
from shared.storage.series import RowSeries
from tests.interleave import TurnsDatabase

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COST = "llm_cost_usd_total"
SLICE = TallyKey("failing", int(NOON.timestamp()) // SLICE_S)
ONE: Tallies = {SLICE: Tally([1.0], [1.0], {}, (0.0, 0.0))}
WRITERS, BATCHES, READS = 3, 4, 4
WHOLE = Decimal(WRITERS * BATCHES)


class Death(Exception):
    """The process is gone."""


class Dying:
    """Rows of a process that dies before, or behind, one of its transactions."""

    def __init__(self, rows: Rows, at: int, *, behind: bool) -> None:
        self._rows, self._left, self._behind = rows, at, behind
        self.get, self.get_each = rows.get, rows.get_each
        self.query, self.query_each = rows.query, rows.query_each
        self.commit_each = rows.commit_each

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        self._left -= 1
        if self._left == 0 and not self._behind:
            raise Death
        self._rows.commit(partition, changes)
        if self._left == 0:
            raise Death


def compactions(rows: Rows, seed: int) -> Callable[[], None]:
    """Return an instance that compacts some times, and dies at one of its writes."""

    def work() -> None:
        dying = RowSeries(Dying(rows, 1 + seed % 7, behind=bool(seed % 2)))
        try:
            for minute in range(4):
                dying.compact(NOON + timedelta(minutes=minute))
        except Death:
            RowSeries(rows).compact(NOON + timedelta(minutes=5))

    return work


def tallied(series: RowSeries) -> float:
    return sum(sum(tally.bad) for tally in series.tallies(NOON).values())


@pytest.mark.parametrize("seed", range(60))
def test_totals_are_exact_and_never_fall(seed: int) -> None:
    database = TurnsDatabase(seed)
    rows = database.table("series")
    seen: list[Decimal] = []

    def write(writer: int) -> None:
        series = RowSeries(rows)
        for number in range(BATCHES):
            batch, point = f"{writer}-{number}", Counted(COST, (), Decimal(1))
            assert series.apply(batch, [point], NOON, ONE)
            assert not series.apply(batch, [point], NOON, ONE)

    def read() -> None:
        series = RowSeries(rows)
        for _ in range(READS):
            seen.append(series.read().counters.get((COST, ()), Decimal(0)))
            assert seen[-1] <= tallied(series) <= WHOLE

    writers = [partial(write, number) for number in range(WRITERS)]
    database.turns.run([*writers, read, compactions(rows, seed), compactions(rows, seed + 3)])
    assert all(one <= other for one, other in pairwise([*seen, WHOLE]))
    final = RowSeries(rows)
    final.compact(NOON + timedelta(minutes=10))
    assert final.read().counters == {(COST, ()): WHOLE}
    assert tallied(final) == WHOLE
