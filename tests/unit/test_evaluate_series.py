"""Rules whose alerts have an incident each."""

import json
from datetime import timedelta

import pytest

from shared.alerting.muting import Matcher, Silence
from shared.alerting.page import Page
from shared.alerting.reading import fingerprint
from shared.alerting.record import RuleRecord
from shared.storage.outbox import RECORD
from shared.usecases.evaluation.conclude import PAGES_MOST
from tests.evaluating import START, World, rule

RULE = rule(hold="PT0S", per_series=True, summary="{Source}: {value:.0f} errors")
A, B = (fingerprint({"Source": name}) for name in "ab")


def world_of(*silences: Silence) -> World:
    world = World(RULE, silences=lambda: list(silences))
    world.log.columns = ("Source", "value")
    return world


def summaries(pages: list[Page]) -> list[tuple[str, str, str]]:
    return [(page.action, page.reason, page.dedup_key.rpartition("/")[2]) for page in pages]


def test_each_series_opens_and_resolves_an_incident_of_its_own() -> None:
    world = world_of()
    (first,) = world.ticks(2, Errors=[("a", 12), ("b", 5)])
    assert first.dedup_key == f"agentmeter/prod/Errors/critical/{A}"
    assert first.summary == "[CRITICAL] a: 12 errors"
    (second,) = world.ticks(2, Errors=[("a", 12), ("b", 15)])
    assert summaries([second]) == [("trigger", "first", B)]
    assert second.created_at == START + timedelta(minutes=2, seconds=3)
    assert summaries(world.ticks(2, Errors=[("a", 5), ("b", 15)])) == [
        ("resolve", "all resolved", A)
    ]
    assert world.record().incidents.keys() == {B}
    assert summaries(world.ticks(2, Errors=[("a", 5), ("b", 5)])) == [
        ("resolve", "all resolved", B)
    ]
    assert summaries(world.ticks(30)) == [
        ("resolve", "resolved again", A),
        ("resolve", "resolved again", B),
    ]
    assert world.record().resolved == {}


def test_each_has_its_own_reminders() -> None:
    world = world_of()
    world.ticks(60, Errors=[("a", 12), ("b", 5)])
    world.ticks(1, Errors=[("a", 12), ("b", 15)])
    pages = world.ticks(240)
    assert summaries(pages) == [
        ("trigger", "repeat interval elapsed", A),
        ("trigger", "repeat interval elapsed", B),
    ]
    assert pages[1].created_at - pages[0].created_at == timedelta(hours=1)


def test_a_silence_of_one_leaves_the_other() -> None:
    over = START + timedelta(minutes=10)
    world = world_of(Silence("s1", (Matcher("Source", "a"),), START, over))
    assert summaries(world.ticks(10, Errors=[("a", 12), ("b", 15)])) == [("trigger", "first", B)]
    assert world.record().muted_by == "silence s1"
    assert summaries(world.ticks(1)) == [("trigger", "first", A)]


def dedup(group: str) -> str:
    return f"agentmeter/prod/Errors/critical/{group}"


def test_a_rule_that_is_removed_resolves_each_incident() -> None:
    world = world_of()
    world.ticks(1, Errors=[("a", 12), ("b", 15)])
    world.rules.clear()
    closed = summaries(world.ticks(1))
    assert sorted(closed) == sorted([("resolve", "rule removed", key) for key in (A, B)])
    assert sorted(summaries(world.ticks(30))) == sorted(
        [("resolve", "resolved again", key) for key in (A, B)]
    )


def test_pages_of_one_minute_are_all_stored_when_the_clock_goes_back() -> None:
    world = world_of()
    world.ticks(1, Errors=[("a", 12), ("b", 15)])
    world.rules.clear()
    world.now = START - timedelta(minutes=10)
    assert len(world.ticks(1)) == 2
    waiting = world.alerts.waiting()
    assert [page.action for page in waiting] == ["trigger", "trigger", "resolve", "resolve"]


def test_a_storm_of_series_is_reported_over_several_ticks_and_what_ends_comes_first() -> None:
    world = world_of()
    many = [(f"s{n}", 12) for n in range(PAGES_MOST + 25)]
    assert len(world.ticks(1, Errors=many)) == PAGES_MOST
    assert len(world.ticks(1, Errors=many)) == 25
    assert world.ticks(1, Errors=many) == []
    other = [(f"t{n}", 12) for n in range(30)] + [(name, 5) for name, _ in many]
    pages = world.ticks(1, Errors=other)
    assert [page.action for page in pages] == ["resolve"] * PAGES_MOST
    assert len(world.ticks(3, Errors=other)) == 25 + 30
    assert len(world.record().incidents) == 30


def test_a_grouping_that_changes_while_it_fires_moves_the_incident() -> None:
    world = world_of()
    world.ticks(1, Errors=[("a", 12), ("b", 15)])
    world.rules[:] = [RULE.model_copy(update={"per_series": False})]
    closed = summaries(world.ticks(1))
    assert sorted(closed) == sorted(
        [("trigger", "first", "critical"), *(("resolve", "all resolved", key) for key in (A, B))]
    )
    world.rules[:] = [RULE]
    moved = summaries(world.ticks(1))
    assert sorted(moved) == sorted(
        [("resolve", "all resolved", "critical"), *(("trigger", "first", key) for key in (A, B))]
    )


def test_a_record_of_before_there_were_groups_is_read() -> None:
    world = World(rule(hold="PT0S"))
    (opened,) = world.ticks(1, Errors=12)
    now = RECORD.dump_python(world.record(), mode="json")
    incident = now.pop("incidents")[""]
    stored = now | {"incident": incident, "resolved": {"incident": incident, "at": now["last_at"]}}
    read = RECORD.validate_json(json.dumps(stored))
    assert read.incidents[""].dedup_key == opened.dedup_key
    assert read.resolved[""].incident == read.incidents[""]
    bare = RECORD.validate_json('{"rule": "x/error", "incident": null, "resolved": null}')
    assert bare == RuleRecord("x/error")


def test_a_route_that_there_is_not_is_reported_to_the_severitys_receiver_and_noted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(rule(hold="PT0S", route="nobody"))
    (page,) = world.ticks(3, Errors=12)
    assert page.route == "critical"
    assert "Errors/critical: no receiver nobody; critical is notified" in caplog.text
