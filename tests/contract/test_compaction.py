"""What compaction promises: totals and tallies stay what they are, whenever it runs or dies."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count, islice

import pytest

from shared.alerting.tallies import Tally, TallyKey, slice_of
from shared.errors import RetryLater
from shared.metrics.points import Counted, Labels, Observed, Point, Sampled, SeriesState
from shared.storage.rows import EVERY, Change, Row, Rows, Transaction, Within
from shared.storage.series import RowSeries
from tests.contract.databases import OpenDatabase
from tests.in_memory import MemorySeries

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Dying:
    """Rows whose n-th commit from now on is lost: before it is made, or after."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.left = 10**9
        self.after = False

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        return self._rows.get(partition, key, *fields)

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        return self._rows.get_each(places, *fields)

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        return self._rows.query(partitions, keys, *fields)

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        return self._rows.query_each(places)

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise RetryLater("no answer")
        self._rows.commit(partition, changes)
        if self.left == 0:
            raise RetryLater("no answer")

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        return self._rows.commit_each(transactions)


def points(number: int) -> list[Point]:
    labels: Labels = (("model", f"m-{number % 7}"),)
    return [
        Counted("cost_total", labels, Decimal("0.1")),
        Counted(f"metric_{number % 5}_total", labels, Decimal(number)),
        Observed("seconds", labels, 1, 0.25, (1, 0)),
        Sampled("size", labels, "fleet", NOON, float(number)),
    ]


def tallies(number: int, at: datetime) -> dict[TallyKey, Tally]:
    key = TallyKey("a rule", slice_of(at), (("model", f"m-{number % 3}"),))
    bad, every = ([amount if n == number % 15 else 0 for n in range(15)] for amount in (1, 2))
    return {key: Tally(bad, every, {}, (0, 0))}


def add(series: RowSeries, numbers: Iterator[int], at: datetime, many: int = 10) -> None:
    for number in islice(numbers, many):
        assert series.apply(f"b-{number}", points(number), at, tallies(number, at))


def expected(many: int) -> SeriesState:
    series = MemorySeries()
    add(series, count(), NOON, many)
    return series.read()


def test_totals_and_tallies_stay_through_many_compactions(open_database: OpenDatabase) -> None:
    series = RowSeries(open_database().table("series"))
    numbers, now = count(), NOON
    for _ in range(8):
        add(series, numbers, now)
        before = series.read(), series.tallies(NOON)
        now += MINUTE
        series.compact(now)
        assert (series.read(), series.tallies(NOON)) == before
        again = RowSeries(open_database().table("series"))
        assert (again.read(), again.tallies(NOON)) == before
    assert series.read() == expected(80)
    assert not any(series.apply(f"b-{number}", points(number), now) for number in range(80))
    assert series.read() == expected(80)


def test_compaction_leaves_few_rows(open_database: OpenDatabase) -> None:
    rows = open_database().table("series")
    series, numbers, now = RowSeries(rows), count(), NOON
    for _ in range(4):
        add(series, numbers, now, 60)
        now += MINUTE
        series.compact(now)
    series.compact(now + MINUTE)
    kinds = [row.key.split(":")[0] for row in rows.query("totals")]
    assert kinds.count("b") == 240
    assert kinds.count("t") < 20


@pytest.mark.parametrize("after", [False, True])
def test_a_compaction_that_dies_changes_nothing(open_database: OpenDatabase, after: bool) -> None:
    rows = Dying(open_database().table("series"))
    series, numbers, now = RowSeries(rows), count(), NOON
    rows.after = after
    for step in range(1, 12):
        add(series, numbers, now)
        before = series.read(), series.tallies(NOON)
        now += MINUTE
        rows.left = step % 4 + 1
        try:
            series.compact(now)
        except RetryLater:
            rows.left = 10**9
        rows.left = 10**9
        fresh = RowSeries(open_database().table("series"))
        assert (fresh.read(), fresh.tallies(NOON)) == before
        assert series.read() == before[0]
    assert series.read() == expected(110)


def test_readers_see_every_batch_once_while_it_runs(open_database: OpenDatabase) -> None:
    writer = RowSeries(open_database().table("series"))
    add(writer, count(), NOON, 40)
    wanted = expected(40)

    def read(_: int) -> list[SeriesState]:
        reader = RowSeries(open_database().table("series"))
        return [reader.read() for _ in range(12)]

    with ThreadPoolExecutor(3) as threads:
        found = threads.map(read, range(2))
        for minute in range(1, 9):
            writer.compact(NOON + minute * MINUTE)
        assert all(state == wanted for states in found for state in states)


def test_two_that_compact_at_once_count_once(open_database: OpenDatabase) -> None:
    instances = [RowSeries(open_database().table("series")) for _ in range(4)]
    numbers = count()
    for minute in range(1, 5):
        add(instances[0], numbers, NOON)
        with ThreadPoolExecutor(4) as threads:
            for series in instances:
                threads.submit(series.compact, NOON + minute * MINUTE)
    assert [series.read() for series in instances] == [expected(40)] * 4


def test_tallies_go_after_a_quarter_of_an_hour(open_database: OpenDatabase) -> None:
    series = RowSeries(open_database().table("series"))
    add(series, count(), NOON, 1)
    series.compact(NOON + MINUTE)
    assert series.tallies(NOON) == tallies(0, NOON)
    assert series.tallies(NOON + MINUTE) == {}
    later = NOON + timedelta(minutes=17)
    series.apply("late", [], later)
    series.compact(later)
    assert series.tallies(NOON) == {}


def test_large_metrics_move_to_rows_that_are_rarely_written(open_database: OpenDatabase) -> None:
    rows = open_database().table("series")
    series, now = RowSeries(rows), NOON
    for number in range(6):
        labels = [
            (("path", f"{n:x}{hash(n) * 2654435761 % 2**32:x}"),) for n in range(number, 9_000, 3)
        ]
        batch = [Counted("hits_total", each, Decimal(1)) for each in labels]
        series.apply(f"b-{number}", batch, now)
        before = series.read()
        now += MINUTE
        series.compact(now)
        assert series.read() == before
    assert any(row.key.startswith("t:o:hits_total:") for row in rows.query("totals"))
