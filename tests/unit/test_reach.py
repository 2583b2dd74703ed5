"""How far the log reaches: windows end there, nothing resolves on what is yet to come, slow queries
are waited for in the next run."""

from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.alerting.count_fast import CountFast
from shared.alerting.fast import FastCondition
from shared.alerting.tallies import Tallies, merge_all
from shared.events.types import AgentEvent
from shared.ports import Table
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.freshness import Reach
from tests.evaluating import ROUTES, START, FakeLog, World, rule
from tests.factories import event
from tests.in_memory import MemoryAlerts

MINUTE = timedelta(minutes=1)
EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
FAST = {"event": "error", "rate": "> 10 / s"}


def windows(world: World) -> list[float]:
    """Return where each window ended, in minutes from the start."""
    return [(end - START) / MINUTE for _, _, end in world.log.asked]


def test_windows_end_where_the_log_reaches() -> None:
    world = World(rule(hold="PT0S"), rule("Ratio", min_samples=3))
    for minute in range(4):
        world.log.shows = START + (minute - 2) * MINUTE
        world.tick()
    asked: dict[str, list[float]] = {"Errors": [], "Ratio": []}
    for kql, _, end in world.log.asked:
        asked[kql.split()[0]].append((end - START) / MINUTE)
    assert asked == {"Errors": [-2, -1, 0, 1], "Ratio": [-3, -2, -1, 0]}


def test_a_log_that_shows_all_is_asked_up_to_now() -> None:
    world = World(rule())
    for _ in range(3):
        world.log.shows = world.now
        world.tick()
    assert windows(world) == [0, 1, 2]


def test_minutes_that_have_not_arrived_resolve_nothing() -> None:
    world = World(rule(hold="PT0S"))
    world.log.shows = START
    assert [page.action for page in world.ticks(1, Errors=12)] == ["trigger"]
    assert world.ticks(15, Errors=0) == []
    assert windows(world) == [0]
    world.log.shows = world.now
    assert [page.action for page in world.ticks(1)] == ["resolve"]


def test_a_pending_alert_does_not_ripen_on_old_rows() -> None:
    world = World(rule(hold="PT2M"))
    world.log.shows = START
    assert world.ticks(12, Errors=12) == []
    assert [alert.phase for alert in world.record().series.values()] == ["pending"]


@pytest.mark.parametrize(
    ("behind_s", "lag_s"), [(0, 0), (60, 0), (120, 60), (240, 180), (660, 600)]
)
def test_the_lag_is_what_is_certain(behind_s: int, lag_s: int) -> None:
    lag = Reach(START - timedelta(seconds=behind_s)).lag(START)
    assert lag == timedelta(seconds=lag_s)
    assert Reach().lag(START) is None


class Stuck(FakeLog):
    """A log whose rules' queries answer when they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = Event()

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        if kql.startswith(("Errors", "Other")):
            self.go.wait(20)
        return super().query(kql, start, end)


def tallied(until: datetime) -> Tallies:
    """Return a minute and more of fifteen errors a second, up to then."""
    count = CountFast([FastCondition.model_validate(FAST)])
    return merge_all(
        count.count([(EVENT.validate_python(_error(at)), None)], at)
        for at in (until - timedelta(seconds=n) for n in range(75))
    )


def _error(at: datetime) -> dict[str, Any]:
    return event("error", count=15) | {"time": at.isoformat()}


def test_slow_queries_hold_up_no_fast_condition() -> None:
    log, rules = Stuck(), [rule(hold="PT0S", fast=FAST), rule("Other", hold="PT0S")]
    alerts = MemoryAlerts()
    now = START + timedelta(minutes=5)
    evaluate = Evaluate(
        *(lambda: rules, log, alerts, lambda: ROUTES, "prod", ""),
        tallies=lambda since: tallied(now),
        kql_s=0.1,
    )
    first = evaluate.tick(now)
    assert [one.rule for one in first.rules if one.pages] == ["Errors/critical"]
    assert {one.rule for one in first.rules if one.outcome == "waiting"} == {
        "Errors/critical",
        "Other/critical",
    }
    assert not first.complete
    log.says = {"Other": 12}
    log.go.set()
    second = evaluate.tick(now + timedelta(seconds=15))
    assert [one.rule for one in second.rules if one.pages] == ["Other/critical"]
    assert alerts.load("Other/critical").last_at == now


def test_runs_within_a_minute_ask_the_log_nothing() -> None:
    world = World(rule())
    world.tick()
    asked = len(world.log.asked)
    for second in (15, 30, 45):
        assert world.evaluate.tick(START + timedelta(seconds=second)).rules == ()
    assert len(world.log.asked) == asked
