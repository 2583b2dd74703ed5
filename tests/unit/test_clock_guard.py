"""A clock that is wrong for a while: nothing is lost, nothing is paged twice."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.alerting.page import Accepted, Delivery, Later, Page
from shared.alerting.record import ConditionState, RuleRecord, SeriesAlert
from shared.storage.outbox import next_in_line
from shared.usecases.evaluation.advance import as_of
from shared.usecases.evaluation.deliver import Deliver
from tests.evaluating import START, World, only, rule
from tests.fakes import FakeReceivers
from tests.unit.test_deliver import page


def test_one_run_an_hour_ahead_stops_nothing() -> None:
    world = World(rule(hold="PT0S"))
    world.tick()
    world.evaluate.tick(world.now + timedelta(hours=1))
    assert only(world.tick()).outcome == "evaluated"
    assert [one.action for one in world.ticks(2, Errors=12)] == ["trigger"]
    assert [one.action for one in world.ticks(2, Errors=0)] == ["resolve"]


def test_a_clock_set_back_pages_no_one_again() -> None:
    world = World(rule(hold="PT2M"))
    assert [one.action for one in world.ticks(5, Errors=12)] == ["trigger"]
    world.now -= timedelta(seconds=90)
    assert world.ticks(5) == []
    assert [one.action for one in world.ticks(2, Errors=0)] == ["resolve"]


def test_a_minute_in_which_no_rule_was_due_is_not_complete() -> None:
    world = World(rule(every="PT5M"))
    assert [world.tick().complete for _ in range(6)] == [True, *[False] * 4, True]


@pytest.mark.parametrize(("seconds", "since"), [(45, 45), (119, 0)])
def test_only_a_later_minute_is_ahead_of_the_clock(seconds: int, since: int) -> None:
    seen = START + timedelta(seconds=seconds)
    alert = SeriesAlert({}, "firing", seen, 1.0, looks={"fast": ConditionState(seen, seen)})
    of_now = as_of(rule(), RuleRecord("Errors/critical", series={"": alert}), START)
    assert of_now.series[""].since == START + timedelta(seconds=since)


@dataclass
class Shaky:
    """A pager that takes pages while it is well."""

    well: bool = True
    taken: list[str] = field(default_factory=list[str])

    def send(self, page: Page) -> Delivery:
        if not self.well:
            return Later("HTTP 429", retry_after_s=90, cause="busy")
        self.taken.append(page.action)
        return Accepted(202)


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([-7200, -90, 0, 45, 3600]), st.booleans()), max_size=8
    ),
    severity=st.sampled_from(["critical", "warning"]),
)
def test_steps_of_the_clock_page_and_resolve_once(
    steps: list[tuple[int, bool]], severity: str
) -> None:
    world, pager = World(rule(hold="PT0S", severity=severity)), Shaky()
    deliver = Deliver(world.alerts, FakeReceivers({severity: pager}))
    true = START + timedelta(hours=3)

    def minute(errors: int, shift_s: int = 0) -> None:
        nonlocal true
        true += timedelta(minutes=1)
        world.now = true + timedelta(seconds=shift_s)
        deliver.run(world.now)
        world.ticks(1, Errors=errors)
        deliver.run(world.now)

    for shift_s, pager.well in steps:
        minute(12, shift_s)
    pager.well = True
    for _ in range(5):
        minute(12)
    assert pager.taken == ["trigger"]
    for _ in range(3):
        minute(0)
    assert pager.taken == ["trigger", "resolve"]


@pytest.mark.parametrize("is_tried", [False, True])
def test_a_page_dated_ahead_waits_for_nothing(is_tried: bool) -> None:
    ahead = START + timedelta(hours=1)
    dated = replace(
        page(),
        created_at=ahead,
        not_before=ahead + timedelta(minutes=1),
        tried_at=ahead if is_tried else None,
    )
    assert next_in_line([dated], START, 1) == [dated]
    assert next_in_line([dated], ahead, 1) == []


def test_a_page_in_the_hands_of_a_clock_ahead_is_left_to_it() -> None:
    tried_at = START + timedelta(minutes=2)
    taken = replace(page(), tried_at=tried_at, not_before=tried_at + timedelta(minutes=3))
    assert next_in_line([taken], START, 1) == []


def test_a_timer_that_stood_still_pages_at_its_first_run() -> None:
    world = World(rule(hold="PT5M"))
    assert world.ticks(2, Errors=12) == []
    world.now += timedelta(minutes=25)
    assert [one.action for one in world.ticks(1)] == ["trigger"]
