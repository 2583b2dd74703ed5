"""A tick: what is stored with which page, and what is told of an incident."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from shared.alerting.grouping import Routes
from shared.storage.alerts import RowAlerts
from shared.storage.sqlite import connect
from shared.usecases.evaluation.evaluate import Evaluate
from tests.evaluating import ROUTES, START, World, only, rule


def test_an_incident_opens_once_and_is_resolved_once() -> None:
    world = World(rule())
    assert world.ticks(3, Errors=5) == []
    (opened,) = world.ticks(30, Errors=12)
    assert (opened.action, opened.reason, opened.route) == ("trigger", "first", "critical")
    assert opened.dedup_key == "agentmeter/prod/Errors/critical"
    assert opened.summary == "[CRITICAL] 12 errors"
    (closed,) = world.ticks(15, Errors=5)
    assert (closed.action, closed.reason) == ("resolve", "all resolved")
    assert (closed.dedup_key, closed.route) == (opened.dedup_key, opened.route)
    assert [t.state for t in world.record().transitions] == ["pending", "firing", "resolved"]


def test_a_resolve_is_repeated_once_after_a_quarter_of_an_hour() -> None:
    world = World(rule())
    (opened,) = world.ticks(3, Errors=12)
    closed, again = world.ticks(60, Errors=5)
    assert (again.action, again.reason) == ("resolve", "resolved again")
    assert again.created_at - closed.created_at == timedelta(minutes=15)
    assert (again.dedup_key, again.route) == (opened.dedup_key, opened.route)


def test_a_repeat_of_a_resolve_never_undoes_a_later_trigger() -> None:
    world = World(rule())
    assert len(world.ticks(3, Errors=12)) == 1
    assert len(world.ticks(5, Errors=5)) == 1
    (reopened,) = world.ticks(60, Errors=12)
    assert reopened.action == "trigger"


def test_a_resolve_that_its_receiver_does_not_want_twice_is_sent_once() -> None:
    world = World(rule())
    receiver = ROUTES.receivers["critical"].model_copy(update={"resolve_again": timedelta(0)})
    routes = ROUTES.model_copy(update={"receivers": {**ROUTES.receivers, "critical": receiver}})
    world.evaluate = replace(world.evaluate, routes=lambda: routes)
    assert len(world.ticks(3, Errors=12)) == 1
    assert len(world.ticks(60, Errors=5)) == 1


def test_it_goes_on_where_a_process_that_was_killed_stopped(tmp_path: Path) -> None:
    actions: list[str] = []
    world = World(rule())
    for minute in range(9):
        database = connect(tmp_path / "alerts.db")
        store = RowAlerts(database.table("alerts"))
        world.evaluate = replace(world.evaluate, alerts=store)
        actions += [page.action for page in world.ticks(1, Errors=12 if minute < 6 else 5)]
        database.close()
    assert actions == ["trigger", "resolve"]


def test_state_and_page_are_stored_together() -> None:
    world = World(rule(hold="PT0S"))
    world.tick(Errors=12)
    (page,) = world.alerts.waiting()
    assert world.record().incidents[""].page == page.id
    assert page.body["custom_details"] == {
        "firing": 1,
        "resolved": 0,
        "reason": "first",
        "value": 12.0,
        "threshold": "> 10",
        "window_s": 300.0,
        "hold_s": 0.0,
        "look": "main",
        "last_values": [{"at": START.isoformat(), "value": 12.0}],
        "labels": {},
        "description": "",
        "members": [{"labels": {}, "value": 12.0, "since": START.isoformat()}],
    }


def test_a_warning_waits_for_its_group_and_a_fast_part_does_not() -> None:
    slow = World(rule(severity="warning", hold="PT0S"))
    (page,) = only(slow.tick(Errors=12)).pages
    assert page.not_before == START + timedelta(seconds=30)
    assert slow.ticks(3) == []
    fast = {"window": "PT1M", "condition": "> 11"}
    (page,) = only(World(rule(severity="warning", fast=fast)).tick(Errors=12)).pages
    assert page.not_before == START + timedelta(seconds=3)


def patient(group_wait: str) -> Routes:
    """Return routes with one receiver that waits so long."""
    severities = ["critical", "error", "warning", "info"]
    receiver = {"severities": severities, "notifier": "log", "group_wait": group_wait}
    return Routes.model_validate({"receivers": {"all": receiver}})


def test_what_fired_and_resolved_before_it_was_sent_is_not_reported() -> None:
    world = World(rule(hold="PT0S"), routes=patient("PT1M"))
    assert only(world.tick(Errors=12)).reason == "waiting for the group"
    assert only(world.tick(Errors=5)).reason == "resolved before it was sent"
    assert world.alerts.waiting() == []


def test_a_wait_that_ends_between_two_ticks_is_reported_though_the_second_finds_it_over() -> None:
    world = World(rule(hold="PT0S"), routes=patient("PT59S"))
    (page,) = world.ticks(1, Errors=12)
    assert (page.reason, page.not_before) == ("first", START + timedelta(seconds=59))
    assert world.alerts.due(START + timedelta(minutes=1), 9) == [page]
    (resolve,) = world.ticks(1, Errors=5)
    assert resolve.reason == "all resolved"


def test_an_open_incident_says_changes_every_5_minutes_and_reminds_after_4_hours() -> None:
    world = World(rule(hold="PT0S"))
    world.log.columns = ("Source", "value")
    world.tick(Errors=[("a", 12)])
    (added,) = world.ticks(8, Errors=[("a", 12), ("b", 15)])
    assert (added.action, added.reason) == ("trigger", "new alerts added")
    assert added.created_at == START + timedelta(minutes=5, seconds=3)
    (gone,) = world.ticks(8, Errors=[("a", 12), ("b", 5)])
    assert gone.reason == "some resolved"
    opened = world.record().incidents[""]
    (reminder,) = world.ticks(240, Errors=[("a", 12), ("b", 5)])
    assert reminder.reason == "repeat interval elapsed"
    assert reminder.created_at - opened.notified_at == timedelta(hours=4, seconds=3)


def test_an_incident_of_a_removed_rule_is_resolved() -> None:
    world = World(rule(), rule("Other"))
    world.ticks(3, Errors=12)
    del world.rules[0]
    report = world.tick()
    removed = report.rules[0]
    assert (removed.outcome, removed.reason) == ("removed", "rule removed")
    (page,) = removed.pages
    assert (page.action, page.summary) == ("resolve", "[CRITICAL] 12 errors")
    assert [t.state for t in removed.transitions] == ["resolved"]
    assert [item.rule for item in world.tick().rules] == ["Other/critical"]
    (again,) = world.ticks(60)
    assert (again.action, again.reason) == ("resolve", "resolved again")


def test_a_resolve_stays_behind_its_trigger_when_the_clock_goes_back() -> None:
    world = World(rule())
    (opened,) = world.ticks(3, Errors=12)
    world.rules.clear()
    world.now = START - timedelta(minutes=10)
    (closed,) = world.ticks(1)
    assert (closed.action, closed.created_at < opened.created_at) == ("resolve", True)
    assert [page.id for page in world.alerts.waiting()] == [opened.id, closed.id]


def test_a_resolve_goes_the_way_of_its_trigger() -> None:
    world = World(rule())
    world.ticks(3, Errors=12)
    renamed = {"pager" if n == "critical" else n: r for n, r in ROUTES.receivers.items()}
    moved = ROUTES.model_copy(update={"receivers": renamed})
    world.evaluate = Evaluate(
        lambda: world.rules, world.log, world.alerts, lambda: moved, "prod", ""
    )
    (closed,) = world.ticks(1, Errors=5)
    assert closed.route == "critical"


def test_a_rule_may_ask_for_fewer_reminders_than_its_receiver_sends() -> None:
    world = World(rule(hold="PT0S"), rule("Quiet", hold="PT0S", repeat_interval="P400D"))
    pages = world.ticks(600, Errors=12, Quiet=12)
    assert [page.rule for page in pages] == ["Errors/critical", "Quiet/critical"] + [
        "Errors/critical"
    ] * 2
