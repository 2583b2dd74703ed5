"""What is written once a minute adds up, whatever fails meanwhile."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random

import pytest

from shared.errors import Misconfigured, RetryLater
from shared.ports import Exporter
from shared.rows import ExportOutcome, MetricRow
from shared.usecases.evaluation.write_metrics import LEASE, Minutely
from tests.fakes import FakeExporter
from tests.metric_rows import (
    BOUNDS,
    GOLD,
    IRON,
    MINUTE,
    SECONDS,
    TEAM,
    Desk,
    Died,
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


def test_a_receiver_that_is_misconfigured_stops_no_tick_and_nothing_is_lost(
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
    exported = {
        dict(labels)["pricing_tier"]: float(v) for (_, labels), v in totals.counters.items()
    }
    assert desk.earned() == pytest.approx(exported)
    spreads = [row for row in desk.exporter.metric_rows if row.name == SECONDS]
    count, total, _ = totals.histograms.get((SECONDS, TEAM), (0, 0.0, ()))
    assert sum(row.count for row in spreads) == count
    assert sum(row.total for row in spreads) == pytest.approx(total)
    assert all((row.low or 0) <= row.total / row.count <= (row.high or 0) for row in spreads)


def something_happens(desk: Desk, chance: Random) -> None:
    """Let a message be counted, a minute pass, Azure Monitor change its mind, or a tick fail."""

    def half(row: MetricRow) -> ExportOutcome:
        return chance.choice((later, taken))(row)

    outcomes: Sequence[Callable[[MetricRow], ExportOutcome]] = (taken, taken, later, half)
    match chance.randrange(6):
        case 0 | 1:
            desk.earn(str(chance.randrange(1, 10_000) / 100), chance.choice((GOLD, IRON)))
        case 2:
            desk.add(observed(*(chance.uniform(0, 2 * BOUNDS[-1]) for _ in range(3))))
        case 3:
            desk.exporter.metric_outcome = chance.choice(outcomes)
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
