"""What is written of the totals once a minute: each addition once, whatever fails meanwhile."""

import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from shared.adapters.memory import MemoryMark, MemorySeries
from shared.errors import Misconfigured, RetryLater
from shared.metrics.catalogue import METRICS
from shared.metrics.points import Counted, Labels, Observed, Point, Sampled
from shared.ports import Exporter, Written
from shared.rows import Exported, ExportLater, ExportOutcome, ExportRefused, MetricRow
from shared.usecases.minutely import LEASE, MOST_OWED, Minutely
from tests.fakes import START, FakeExporter

MINUTE = timedelta(minutes=1)
GOLD, IRON = (("pricing_tier", "gold"),), (("pricing_tier", "iron"),)
REVENUE, SECONDS, QUEUE = "revenue_usd_total", "mission_duration_seconds", "task_queue_size"
TEAM = (("team_size", "2"),)
BOUNDS = METRICS[SECONDS].buckets
REFUSED = "agentmeter_metric_rows_refused_total"


class Died(BaseException):
    """The process is gone."""


class Shaky(MemoryMark):
    """A mark whose n-th save from now on dies, or does not answer, before or after it is stored."""

    fails: Mapping[int, type[BaseException]] = {}
    after = False

    def save(self, written: Written) -> Written:
        failure = self.fails.get(0)
        self.fails = {n - 1: kind for n, kind in self.fails.items()}
        if failure and not self.after:
            raise failure("no answer")
        saved = super().save(written)
        if failure:
            raise failure("no answer")
        return saved


class Desk:
    """Totals that are added to, and what becomes of them."""

    def __init__(self) -> None:
        self.series, self.mark, self.exporter = MemorySeries(), Shaky(), FakeExporter()
        self.now, self.batches = START, 0

    def add(self, *points: Point) -> None:
        self.batches += 1
        self.series.apply(f"batch {self.batches}", points, self.now)

    def earn(self, usd: str, tier: Labels = GOLD) -> None:
        self.add(Counted(REVENUE, tier, Decimal(usd)))

    def minutely(self) -> Minutely:
        return Minutely(self.series, self.mark, lambda: self.exporter)

    def tick(self, after: timedelta = MINUTE) -> list[MetricRow]:
        """Let time pass, and write; return the rows that were taken."""
        self.now += after
        before = len(self.exporter.metric_rows)
        self.minutely().write(self.now)
        return self.exporter.metric_rows[before:]

    def earned(self) -> dict[str, float]:
        """Add up the rows."""
        sums: dict[str, float] = defaultdict(float)
        for row in self.exporter.metric_rows:
            if row.name == REVENUE:
                sums[row.labels[0][1]] += row.total
        return dict(sums)


@pytest.fixture
def desk() -> Desk:
    """A desk that has written before, so that all that follows is new."""
    made = Desk()
    made.tick()
    return made


def later(row: MetricRow) -> ExportOutcome:
    return ExportLater("Azure Monitor answered 503.")


def taken(row: MetricRow) -> ExportOutcome:
    return Exported()


def test_a_row_for_each_series_that_grew_however_many_messages_came(desk: Desk) -> None:
    for usd in ("0.1", "0.2", "4"):
        desk.earn(usd)
    desk.earn("7", IRON)
    minute = desk.now
    rows = desk.tick()
    assert rows == [
        MetricRow(REVENUE, minute, GOLD, 4.3),
        MetricRow(REVENUE, minute, IRON, 7.0),
    ]
    desk.earn("1")
    assert desk.tick() == [MetricRow(REVENUE, minute + MINUTE, GOLD, 1.0)]
    assert desk.tick() == []


def observed(*seconds: float) -> Observed:
    buckets = [0] * (len(BOUNDS) + 1)
    for each in seconds:
        buckets[sum(each > bound for bound in BOUNDS)] += 1
    return Observed(SECONDS, TEAM, len(seconds), sum(seconds), tuple(buckets))


@pytest.mark.parametrize(
    ("seconds", "low", "high"),
    [
        pytest.param((BOUNDS[0],), 0.0, BOUNDS[0], id="first"),
        pytest.param((BOUNDS[1], BOUNDS[3]), BOUNDS[0], BOUNDS[3], id="between"),
        pytest.param((BOUNDS[-1] * 9,), BOUNDS[-1], BOUNDS[-1] * 9, id="above-all-bounds"),
        pytest.param((0.0, BOUNDS[-1] * 9), 0.0, BOUNDS[-1] * 9, id="first-and-last"),
    ],
)
def test_a_histogram_is_what_was_added_between_the_bounds_of_what_grew(
    desk: Desk, seconds: Sequence[float], low: float, high: float
) -> None:
    desk.add(observed(BOUNDS[2], BOUNDS[-1] * 3))
    desk.tick()
    desk.add(observed(*seconds))
    minute = desk.now
    (row,) = desk.tick()
    assert row.total == pytest.approx(sum(seconds))
    assert replace(row, total=0) == MetricRow(SECONDS, minute, TEAM, 0, len(seconds), low, high)


def test_a_gauge_is_a_row_of_its_own_minute_when_it_was_sampled_anew(desk: Desk) -> None:
    at = desk.now + timedelta(seconds=17)
    desk.add(Sampled(QUEUE, (("priority", "high"),), "a", at, 3.0))
    labels = (("priority", "high"), ("source", "a"))
    assert desk.tick() == [MetricRow(QUEUE, desk.now - MINUTE, labels, 3.0)]
    assert desk.tick() == []
    desk.add(Sampled(QUEUE, (("priority", "high"),), "a", desk.now, 3.0))
    assert len(desk.tick()) == 1


def test_totals_of_an_earlier_release_are_not_written_anew_but_gauges_are() -> None:
    desk = Desk()
    desk.earn("1000")
    desk.add(Sampled(QUEUE, (), "a", desk.now, 3.0))
    assert [row.name for row in desk.tick()] == [QUEUE]
    desk.earn("1")
    assert [row.total for row in desk.tick()] == [1.0]


def test_totals_that_begin_anew_are_new(desk: Desk) -> None:
    desk.earn("10")
    desk.tick()
    desk.series = MemorySeries()
    desk.earn("2")
    assert [row.total for row in desk.tick()] == [2.0]


def test_a_minute_is_written_once_however_often_it_is_asked_for(desk: Desk) -> None:
    desk.earn("1")
    assert len(desk.tick()) == 1
    desk.earn("2")
    assert desk.tick(timedelta(seconds=20)) == []
    assert [row.total for row in desk.tick()] == [2.0]


def test_rows_that_are_not_taken_wait_under_their_minute_and_hold_up_no_other(desk: Desk) -> None:
    desk.exporter.metric_outcome = lambda row: later(row) if row.labels == GOLD else taken(row)
    desk.earn("1")
    desk.earn("2", IRON)
    first = desk.now
    assert [row.total for row in desk.tick()] == [2.0]
    desk.earn("4")
    desk.earn("8", IRON)
    assert [row.total for row in desk.tick()] == [8.0]
    desk.exporter.metric_outcome = taken
    assert [(row.time, row.total) for row in desk.tick()] == [(first, 1.0), (first + MINUTE, 4.0)]
    assert desk.earned() == {"gold": 5.0, "iron": 10.0}


def test_rows_that_are_refused_are_counted_once_and_not_sent_again(desk: Desk) -> None:
    desk.exporter.metric_outcome = lambda row: ExportRefused(400, "no")
    desk.earn("1")
    desk.earn("2", IRON)
    desk.tick()
    desk.exporter.metric_outcome = taken
    assert desk.series.read().counters[REFUSED, ()] == 2
    assert [(row.name, row.total) for row in desk.tick()] == [(REFUSED, 2.0)]


def test_in_a_long_outage_what_waits_is_bounded_and_then_all_is_written(desk: Desk) -> None:
    desk.exporter.metric_outcome = later
    sources = [f"s{n}" for n in range(MOST_OWED // 2)]
    for _ in range(5):
        desk.add(*(Sampled(QUEUE, (), source, desk.now, 1.0) for source in sources))
        desk.earn("1")
        desk.tick()
    assert len(desk.mark.load().owed) < 2 * MOST_OWED
    desk.exporter.metric_outcome = taken
    desk.tick()
    desk.tick()
    assert desk.earned() == {"gold": 5.0}


def test_a_time_that_azure_refuses_is_moved(desk: Desk) -> None:
    desk.exporter.metric_outcome = later
    desk.earn("1")
    desk.tick()
    desk.exporter.metric_outcome = taken
    (row,) = desk.tick(timedelta(days=3))
    assert row.time == desk.now - timedelta(hours=47)


def test_after_a_crash_behind_the_export_one_minute_stands_twice_when_the_lease_is_over(
    desk: Desk,
) -> None:
    desk.earn("1")
    desk.mark.fails = {1: Died}
    with pytest.raises(Died):
        desk.tick()
    desk.earn("2")
    assert desk.tick() == []
    twice, new = desk.tick(LEASE)
    assert (twice, new.total) == (desk.exporter.metric_rows[0], 2.0)


@pytest.mark.parametrize("after", [False, True], ids=["before-it-is-stored", "after"])
def test_a_store_that_does_not_answer_at_first_loses_and_doubles_nothing(
    desk: Desk, *, after: bool
) -> None:
    desk.earn("1")
    desk.mark.fails, desk.mark.after = {0: RetryLater}, after
    desk.tick()
    desk.earn("2")
    desk.tick(LEASE)
    assert desk.earned() == {"gold": 3.0}


def test_a_road_that_is_misconfigured_stops_no_tick_and_nothing_is_lost(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong() -> Exporter:
        raise Misconfigured("APPLICATIONINSIGHTS_CONNECTION_STRING is none. Copy it.")

    caplog.set_level(logging.WARNING)
    desk.earn("1")
    Minutely(desk.series, desk.mark, wrong).write(desk.now + MINUTE)
    assert "wait for the next tick: APPLICATIONINSIGHTS_CONNECTION_STRING" in caplog.text
    assert [row.total for row in desk.tick()] == [1.0]


class Rival(FakeExporter):
    """While it sends, another evaluator has its tick."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        self.desk.minutely().write(self.desk.now)
        return super().metrics(rows)


def test_two_evaluators_at_once_write_a_minute_once(desk: Desk) -> None:
    rival = Rival(desk)
    desk.earn("1")
    desk.now += MINUTE
    Minutely(desk.series, desk.mark, lambda: rival).write(desk.now)
    assert [row.total for row in (*rival.metric_rows, *desk.exporter.metric_rows)] == [1.0]
    desk.earn("2")
    assert [row.total for row in desk.tick()] == [2.0]


@pytest.mark.parametrize("seed", range(30))
def test_however_all_of_it_interleaves_the_rows_add_up_to_the_totals(seed: int) -> None:
    desk, chance = Desk(), Random(seed)
    desk.tick()
    for _ in range(120):
        something_happens(desk, chance)
    desk.exporter.metric_outcome = taken
    for wait in (LEASE, MINUTE, MINUTE):
        desk.tick(wait)
    totals = desk.series.read()
    told = {dict(labels)["pricing_tier"]: float(v) for (_, labels), v in totals.counters.items()}
    assert desk.earned() == pytest.approx(told)
    spreads = [row for row in desk.exporter.metric_rows if row.name == SECONDS]
    count, total, _ = totals.histograms.get((SECONDS, TEAM), (0, 0.0, ()))
    assert sum(row.count for row in spreads) == count
    assert sum(row.total for row in spreads) == pytest.approx(total)
    assert all((row.low or 0) <= row.total / row.count <= (row.high or 0) for row in spreads)


def something_happens(desk: Desk, chance: Random) -> None:
    """Let a message be counted, a minute pass, Azure Monitor change its mind, or a tick fail."""

    def half(row: MetricRow) -> ExportOutcome:
        return chance.choice((later, taken))(row)

    roads: Sequence[Callable[[MetricRow], ExportOutcome]] = (taken, taken, later, half)
    match chance.randrange(6):
        case 0 | 1:
            desk.earn(str(chance.randrange(1, 10_000) / 100), chance.choice((GOLD, IRON)))
        case 2:
            desk.add(observed(*(chance.uniform(0, 2 * BOUNDS[-1]) for _ in range(3))))
        case 3:
            desk.exporter.metric_outcome = chance.choice(roads)
        case 4:
            tick_that_fails(desk, chance)
        case _:
            desk.tick(timedelta(seconds=chance.choice((5, 60, 60, 200))))


def tick_that_fails(desk: Desk, chance: Random) -> None:
    """Tick while the store fails, or the process dies, at the first note: before the export."""
    desk.mark.fails = {0: chance.choice((Died, RetryLater))}
    desk.mark.after = chance.random() < 0.5
    with contextlib.suppress(Died):
        desk.tick()
    desk.mark.fails = {}
