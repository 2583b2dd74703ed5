"""A rule that is edited while it fires: its alerts are judged by the new one, and none stays."""

from datetime import timedelta

import pytest

from shared.alerting.page import Page
from shared.alerting.rule import Rule
from shared.errors import RetryLater
from tests.evaluating import Rows, World, rule

FAST = {"window": "PT1M", "condition": "> 20"}
BY_SOURCE, BY_TEAM = ("Source", "value"), ("TeamId", "value")


def firing(first: Rule, **said: float | Rows) -> World:
    """Return a world in which the rule has just paged."""
    world = World(first)
    if not isinstance(said.get("Errors"), int):
        world.log.columns = BY_SOURCE
    assert [page.action for page in world.ticks(3, **said)] == ["trigger"]
    return world


def edited(
    world: World, new: Rule, minutes: int = 10, **said: float | Rows | Exception
) -> list[Page]:
    world.rules[:] = [new]
    return world.ticks(minutes, **said)


EDITS = [
    pytest.param(rule(fast=FAST), rule(), id="fast-removed"),
    pytest.param(rule(), rule(fast=FAST), id="fast-added"),
    pytest.param(rule(fast=FAST), rule(fast={**FAST, "query": "Quick {start} {end}"}), id="fast"),
    pytest.param(rule(), rule(condition="> 11"), id="condition"),
    pytest.param(rule(), rule(resolve="< 6"), id="hysteresis"),
    pytest.param(rule(), rule(window="PT30M"), id="window"),
    pytest.param(rule(), rule(hold="PT10M"), id="hold"),
    pytest.param(rule(), rule(every="PT5M", hold="PT5M"), id="interval"),
    pytest.param(rule(), rule(query="Errors {end} {start}"), id="query"),
    pytest.param(rule(per_series=True), rule(per_series=False), id="group"),
]


@pytest.mark.parametrize(("before", "after"), EDITS)
@pytest.mark.parametrize("value", [25, 12])
def test_an_edit_that_leaves_it_true_pages_no_one_and_one_that_ends_it_resolves(
    before: Rule, after: Rule, value: int
) -> None:
    world = firing(before, Errors=25)
    pages = edited(world, after, Errors=value)
    regrouped = before.per_series != after.per_series
    assert sorted(page.action for page in pages) == ["resolve", "trigger"] * regrouped
    closed = [page.reason for page in world.ticks(12, Errors=5, Quick=5)]
    assert [reason for reason in closed if reason != "resolved again"] == ["all resolved"]
    assert not world.record().series


@pytest.mark.parametrize(("before", "after"), EDITS)
def test_what_the_new_rule_finds_well_is_resolved(before: Rule, after: Rule) -> None:
    world = firing(before, Errors=25)
    assert "resolve" in [page.action for page in edited(world, after, Errors=5)]
    assert not world.record().incidents


def test_an_alert_that_only_the_fast_part_held_ends_when_it_is_removed() -> None:
    world = World(rule(fast={**FAST, "query": "Quick {start} {end}"}))
    assert len(world.ticks(3, Errors=5, Quick=30)) == 1
    (closed,) = edited(world, rule(), minutes=3)
    assert closed.action == "resolve"


def test_series_that_the_new_query_does_not_know_end_and_its_own_begin() -> None:
    world = firing(rule(hold="PT1M"), Errors=[("a", 25), ("b", 30)])
    world.log.columns = BY_TEAM
    edited(world, rule(hold="PT1M", query="Teams {start} {end}"), Teams=[("red", 25)])
    (alert,) = world.record().series.values()
    assert (alert.labels, alert.phase, alert.outdated) == ({"TeamId": "red"}, "firing", False)
    ended = [t for t in world.record().transitions if t.state == "resolved"]
    assert {t.reason for t in ended} == {"the rule was edited, and asks of it no more"}
    (closed,) = world.ticks(1, Teams=[])[:1] or edited(world, rule(), Errors=[])
    assert closed.action == "resolve"


def test_a_new_query_that_fails_ends_nothing_until_it_answers() -> None:
    world = firing(rule(), Errors=25)
    edit = rule(query="Teams {start} {end}")
    assert edited(world, edit, Teams=RetryLater("HTTP 503")) == []
    world.log.columns = BY_TEAM
    (closed,) = world.ticks(1, Teams=[])
    assert closed.action == "resolve"


def test_an_alert_that_waits_for_its_hold_waits_on_through_an_edit() -> None:
    world = World(rule(hold="PT5M"))
    world.ticks(3, Errors=12)
    world.rules[:] = [rule(hold="PT5M", condition="> 11", fast=FAST)]
    (opened,) = world.ticks(5)
    assert opened.created_at - world.record().transitions[0].at == timedelta(minutes=5, seconds=3)


def test_an_alert_of_silence_outlives_an_edit_of_its_query() -> None:
    absent = {"no_data": "alert", "offset": "PT0S"}
    world = firing(rule(**absent), Errors=[])
    assert edited(world, rule(**absent, query="Other {start} {end}"), Other=[]) == []
    assert world.record().firing
