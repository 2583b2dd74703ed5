"""A clock that is wrong for a while: nothing is lost, nothing is paged twice."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.alerting.page import Page
from tests.evaluating import START, World, only, rule


def test_one_run_an_hour_ahead_stops_nothing() -> None:
    world = World(rule(hold="PT0S"))
    world.tick()
    world.evaluate.tick(world.now + timedelta(hours=1))
    assert only(world.tick()).outcome == "evaluated"
    assert [page.action for page in world.ticks(2, Errors=12)] == ["trigger"]
    assert [page.action for page in world.ticks(2, Errors=0)] == ["resolve"]


def test_a_clock_set_back_pages_nobody_again() -> None:
    world = World(rule(hold="PT2M"))
    assert [page.action for page in world.ticks(5, Errors=12)] == ["trigger"]
    world.now -= timedelta(seconds=90)
    assert world.ticks(5) == []
    assert [page.action for page in world.ticks(2, Errors=0)] == ["resolve"]


def test_a_minute_in_which_no_rule_was_due_is_not_complete() -> None:
    world = World(rule(every="PT5M"))
    assert [world.tick().complete for _ in range(6)] == [True, *[False] * 4, True]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-7200, -90, 0, 45, 3600]), st.booleans()), max_size=8))
def test_steps_of_the_clock_keep_one_incident(steps: list[tuple[int, bool]]) -> None:
    world = World(rule(hold="PT0S"))
    true = START + timedelta(hours=3)
    pages: list[Page] = []
    for shift_s, _ in steps:
        true += timedelta(minutes=1)
        world.now = true + timedelta(seconds=shift_s)
        pages += world.ticks(1, Errors=12)
    for _ in range(3):
        true += timedelta(minutes=1)
        world.now = true
        pages += world.ticks(1, Errors=12)
    assert [page.action for page in pages] == ["trigger"]
    for _ in range(3):
        true += timedelta(minutes=1)
        world.now = true
        pages += world.ticks(1, Errors=0)
    assert [page.action for page in pages] == ["trigger", "resolve"]
