"""What is written of the totals once a minute: each addition once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.metrics.points import Sampled
from shared.rows import ExportRefused, MetricRow
from shared.usecases.evaluation import write_metrics
from tests.in_memory import MemorySeries
from tests.metric_rows import (
    BOUNDS,
    GOLD,
    IRON,
    MINUTE,
    QUEUE,
    REFUSED,
    REVENUE,
    SECONDS,
    TEAM,
    Desk,
    later,
    observed,
    taken,
)


@pytest.fixture
def desk() -> Desk:
    """A desk that has written before, so that all that follows is new."""
    made = Desk()
    made.tick()
    return made


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


def test_what_came_before_the_first_tick_is_written() -> None:
    desk = Desk()
    desk.earn("1000")
    desk.add(Sampled(QUEUE, (), "a", desk.now, 3.0))
    assert [(row.name, row.total) for row in desk.tick()] == [(REVENUE, 1000.0), (QUEUE, 3.0)]
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


def test_in_a_long_outage_what_waits_is_bounded_and_then_all_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 50
    monkeypatch.setattr(write_metrics, "MOST_OWED", most)
    desk.exporter.metric_outcome = later
    sources = [f"s{n}" for n in range(most // 2)]
    for _ in range(5):
        desk.add(*(Sampled(QUEUE, (), source, desk.now, 1.0) for source in sources))
        desk.earn("1")
        desk.tick()
    assert most <= len(desk.mark.load().owed) < 2 * most
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
