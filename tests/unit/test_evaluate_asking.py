"""What a tick asks and when, and whom a failure stops."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.alerting.rule import Rule
from shared.errors import GiveUp, Misconfigured, RetryLater
from shared.ports import Table
from shared.usecases.evaluation.evaluate import Evaluate
from tests.evaluating import ROUTES, START, FakeLog, World, only, rule


def test_each_condition_reads_its_own_window() -> None:
    fast = {"window": "PT1M", "hold": "PT1M", "condition": "> 20"}
    world = World(rule(condition="< 1", fast=fast))
    world.tick()
    (main_kql, main_start, main_end), (_, fast_start, fast_end) = world.log.asked
    minute = timedelta(minutes=1)
    assert (main_start, main_end) == (START - 6 * minute, START - minute)
    assert (fast_start, fast_end) == (START - minute, START)
    assert main_kql == (
        "Errors datetime(2026-01-04T23:54:00.0000000Z) datetime(2026-01-04T23:59:00.0000000Z)"
    )


def test_a_failing_query_is_reported_and_stops_no_other() -> None:
    world = World(rule("Broken"), rule("Errors"))
    report = world.tick(Broken=GiveUp("no table X"), Errors=12)
    assert [item.outcome for item in report.rules] == ["query failed", "evaluated"]
    assert not report.complete
    broken = world.record("Broken/critical")
    assert (broken.errors, broken.last_error) == (1, "main: no table X")
    assert (broken.last_at, broken.last_good_at) == (START, None)
    world.tick(Broken=0)
    assert world.record("Broken/critical").errors == 0


@pytest.mark.parametrize(
    "error", [RetryLater("HTTP 503"), GiveUp("semantic error"), Misconfigured("HTTP 403")]
)
def test_an_error_never_resolves_an_incident(error: Exception) -> None:
    world = World(rule())
    world.ticks(3, Errors=12)
    assert world.ticks(60, Errors=error) == []
    assert world.record().series
    (closed,) = world.ticks(1, Errors=5)
    assert closed.action == "resolve"


def test_an_answer_that_is_no_rules_answer_is_an_error() -> None:
    world = World(rule())
    world.log.columns = ("count_",)
    assert "name one of them `value`" in only(world.tick()).error


def test_a_fault_in_one_rule_leaves_its_state_and_the_others() -> None:
    world = World(rule("Broken"), rule("Errors"))
    report = world.tick(Broken=ZeroDivisionError("a bug"), Errors=12)
    assert [item.outcome for item in report.rules] == ["failed", "evaluated"]
    broken = world.record("Broken/critical")
    assert (broken.series, broken.last_at, broken.errors) == ({}, None, 1)
    assert broken.failing_since == START
    assert report.rules[0].error == "ZeroDivisionError: a bug"


def test_missed_ticks_are_made_up_oldest_first() -> None:
    world = World(rule())
    world.tick(Errors=12)
    world.now = START + timedelta(minutes=4)
    report = only(world.tick())
    assert report.planned == tuple(START + timedelta(minutes=n) for n in (1, 2, 3, 4))
    assert [t.at - START for t in report.transitions] == [timedelta(minutes=2)]
    assert [end for _, _, end in world.log.asked] == [
        START + timedelta(minutes=n) for n in range(5)
    ]


def test_no_more_than_ten_ticks_are_made_up() -> None:
    world = World(rule())
    world.tick()
    world.now = START + timedelta(hours=1)
    report = only(world.tick())
    assert (len(report.planned), report.skipped) == (10, 50)
    assert report.planned[-1] == START + timedelta(hours=1)


def test_a_second_timer_in_the_same_minute_does_nothing() -> None:
    world = World(rule(hold="PT0S"))
    world.tick(Errors=12)
    before = world.record()
    assert world.evaluate.tick(START + timedelta(seconds=40)).rules == ()
    assert world.record() == before
    assert len(world.alerts.waiting()) == 1


def test_a_rule_is_asked_as_often_as_it_says() -> None:
    world = World(rule(every="PT5M", hold="PT0S"))
    outcomes = [only(world.tick()).outcome for _ in range(11)]
    assert [n for n, outcome in enumerate(outcomes) if outcome == "evaluated"] == [0, 5, 10]


def test_of_two_evaluators_one_says() -> None:
    world = World(rule(hold="PT0S"))
    rival = Evaluate(lambda: world.rules, world.log, world.alerts, lambda: ROUTES, "prod", "")

    class Slow(FakeLog):
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            rival.tick(START)
            return super().query(kql, start, end)

    world.log.says["Errors"] = 12
    slow = Evaluate(
        lambda: world.rules, Slow(says={"Errors": 12}), world.alerts, lambda: ROUTES, "prod", ""
    )
    assert only(slow.tick(START)).outcome == "not stored"
    assert len(world.alerts.waiting()) == 1


def test_at_most_four_queries_are_in_flight() -> None:
    world = World(*(rule(f"R{n}") for n in range(12)))
    flying: list[int] = []
    gate = threading.Semaphore(4)
    together = threading.Barrier(4, timeout=5)

    class Counting(FakeLog):
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            if kql.startswith(("union", "AppEvents")):
                return super().query(kql, start, end)
            flying.append(gate.acquire(blocking=False))
            together.wait()
            gate.release()
            return super().query(kql, start, end)

    world.evaluate = Evaluate(
        lambda: world.rules, Counting(), world.alerts, lambda: ROUTES, "prod", ""
    )
    assert world.tick().complete
    assert all(flying)


def test_rules_that_cannot_be_read_touch_nothing() -> None:
    world = World(rule())
    world.ticks(3, Errors=12)

    def unreadable() -> Sequence[Rule]:
        raise Misconfigured("rules/Errors.toml: ...")

    before = world.record()
    broken = Evaluate(unreadable, world.log, world.alerts, lambda: ROUTES, "prod", "")
    report = broken.tick(world.now)
    assert (report.problem, report.complete) == ("rules/Errors.toml: ...", False)
    assert world.record() == before


def test_rules_that_cannot_be_read_leave_the_own_ones_at_work() -> None:
    world = World(rule())
    world.ticks(3, Errors=12)

    def unreadable() -> Sequence[Rule]:
        raise Misconfigured("rules/Errors.toml: ...")

    own = rule("Own", hold="PT0S")
    world.evaluate = replace(world.evaluate, rules=unreadable, own=lambda: [own])
    (page,) = world.ticks(5, Own=12)
    assert page.rule == "Own/critical"
    assert world.record().incidents


def test_what_several_rules_ask_is_asked_once_a_tick() -> None:
    same = [rule(f"R{n}", query="Errors {start} {end}", condition=f"> {n}") for n in range(8)]
    world = World(*same)
    world.tick(Errors=5)
    assert len(world.log.asked) == 1
    assert [bool(world.record(r.key).series) for r in same] == [n < 5 for n in range(8)]
    world.tick(Errors=RetryLater("HTTP 503"))
    assert {world.record(r.key).errors for r in same} == {1}
    world.tick(Errors=0)
    assert not any(world.record(r.key).series for r in same)
