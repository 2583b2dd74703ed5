"""A fast condition with too many series: what is left out is counted, and pages."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.alerting.count_fast import SERIES_MOST, CountFast
from shared.alerting.fast import FastCondition
from shared.alerting.tallies import Tallies
from shared.usecases.evaluation.self_watch import left_out
from tests.evaluating import START, World, rule
from tests.unit.test_fast_conditions import at

EACH = {"event": "error", "rate": "> 10 / s", "by": ["team_id"]}


def of_teams(count: int) -> Tallies:
    """Return the tallies of a message with an error of so many teams."""
    events = [at(0, "error", team_id=str(n)) for n in range(count)]
    return CountFast([FastCondition.model_validate(EACH)]).count(events, START)


def knowing(world: World, teams: int) -> World:
    """Return the world with the tallies of so many teams."""

    def tallies(since: datetime) -> Tallies:
        del since
        return of_teams(teams)

    world.evaluate = replace(world.evaluate, tallies=tallies)
    return world


def test_tallied_series_over_the_cap_are_counted_and_page() -> None:
    world = World(rule(fast=EACH))
    for teams, over in ((SERIES_MOST, 0), (3 * SERIES_MOST, 1), (1, 0)):
        knowing(world, teams)
        for _ in range(2):
            world.tick()
            assert world.record().left_out == over
        row = ("Errors/critical", over) if over else ("", 0)
        assert left_out(world.alerts.load_all()).rows == (row,)


def test_fast_runs_between_minutes_keep_the_count() -> None:
    world = knowing(World(rule(fast=EACH)), 2 * SERIES_MOST)
    world.tick()
    world.evaluate.tick(START + timedelta(seconds=15))
    assert world.record().left_out == 1
