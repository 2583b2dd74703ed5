"""A tick: what is asked, what is stored with which page, and whom a failure stops."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.config_folder import read_routes
from shared.adapters.memory import MemoryAlerts
from shared.adapters.sqlite import connect
from shared.adapters.sqlite_alerts import SqliteAlerts
from shared.alerting.grouping import Routes
from shared.alerting.muting import Matcher, Silence
from shared.alerting.page import Accepted, Dead, Page
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.errors import GiveUp, Misconfigured, RetryLater
from shared.ports import Table
from shared.usecases.evaluate import Evaluate, RuleReport, TickReport, no_silences

START = datetime(2026, 1, 5, tzinfo=UTC)
ROUTES = read_routes(Path(__file__).parents[2] / "config")
Rows = Sequence[tuple[object, ...]]


def rule(name: str = "Errors", severity: str = "critical", **fields: object) -> Rule:
    common = {
        "group": "health",
        "window": "PT5M",
        "hold": "PT2M",
        "condition": "> 10",
        "summary": "{value:.0f} errors",
        "query": f"{name} {{start}} {{end}}",
        "runbook": "docs/runbooks/Errors.md",
    }
    return Rule.model_validate(common | {"name": name, "severity": severity} | fields)


@dataclass
class FakeLog:
    """Answers by the first word of the query: a value, rows, or an error to raise."""

    columns: tuple[str, ...] = ("value",)
    says: dict[str, float | Rows | Exception] = field(
        default_factory=dict[str, float | Rows | Exception]
    )
    asked: list[tuple[str, datetime, datetime]] = field(
        default_factory=list[tuple[str, datetime, datetime]]
    )

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        self.asked.append((kql, start, end))
        said = self.says.get(kql.split()[0], 0)
        if isinstance(said, Exception):
            raise said
        return Table(self.columns, ((said,),) if isinstance(said, int | float) else tuple(said))


class World:
    """An evaluator, its log and its store, a minute after the other."""

    def __init__(
        self,
        *rules: Rule,
        silences: Callable[[], Sequence[Silence]] = no_silences,
        routes: Routes = ROUTES,
    ) -> None:
        self.rules: list[Rule] = list(rules)
        self.log = FakeLog()
        self.alerts = MemoryAlerts()
        self.now = START
        self.evaluate = Evaluate(
            *(lambda: self.rules, self.log, self.alerts, routes, "prod", "https://page.test"),
            silences=silences,
        )

    def tick(self, **said: float | Rows | Exception) -> TickReport:
        """Run the tick of this minute, then let the minute pass."""
        self.log.says |= said
        report = self.evaluate.tick(self.now + timedelta(seconds=3))
        self.now += timedelta(minutes=1)
        return report

    def ticks(self, count: int, **said: float | Rows | Exception) -> list[Page]:
        """Run so many ticks; return the pages that came of them."""
        reports = [self.tick(**said) for _ in range(count)]
        return [item.page for report in reports for item in report.rules if item.page]

    def record(self, key: str = "Errors/critical") -> RuleRecord:
        return self.alerts.load(key)


def only(report: TickReport) -> RuleReport:
    (item,) = report.rules
    return item


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
    world.evaluate = replace(world.evaluate, routes=routes)
    assert len(world.ticks(3, Errors=12)) == 1
    assert len(world.ticks(60, Errors=5)) == 1


def test_it_goes_on_where_a_process_that_was_killed_stopped(tmp_path: Path) -> None:
    actions: list[str] = []
    world = World(rule())
    for minute in range(9):
        database = connect(tmp_path / "alerts.db")
        store = SqliteAlerts(database)
        world.evaluate = replace(world.evaluate, alerts=store)
        actions += [page.action for page in world.ticks(1, Errors=12 if minute < 6 else 5)]
        database.close()
    assert actions == ["trigger", "resolve"]


def test_state_and_page_are_stored_together() -> None:
    world = World(rule(hold="PT0S"))
    world.tick(Errors=12)
    (page,) = world.alerts.waiting()
    assert world.record().incident is not None
    assert page.body["custom_details"] == {
        "firing": 1,
        "resolved": 0,
        "reason": "first",
        "value": 12.0,
        "threshold": "> 10",
        "window_s": 300.0,
        "hold_s": 0.0,
        "look": "main",
        "labels": {},
        "description": "",
        "members": [{"labels": {}, "value": 12.0, "since": START.isoformat()}],
    }


def test_each_look_sees_its_own_window_and_only_planned_times() -> None:
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


def test_a_warning_waits_for_its_group_and_a_fast_part_does_not() -> None:
    slow = World(rule(severity="warning", hold="PT0S"))
    page = only(slow.tick(Errors=12)).page
    assert page is not None
    assert page.not_before == START + timedelta(seconds=30)
    assert slow.ticks(3) == []
    fast = {"window": "PT1M", "condition": "> 11"}
    page = only(World(rule(severity="warning", fast=fast)).tick(Errors=12)).page
    assert page is not None
    assert page.not_before == START + timedelta(seconds=3)


def patient(group_wait: str) -> Routes:
    """Return routes with one receiver that waits so long."""
    severities = ["critical", "error", "warning", "info"]
    receiver = {"severities": severities, "notifier": "log", "group_wait": group_wait}
    return Routes.model_validate({"receivers": {"all": receiver}})


def test_what_fired_and_resolved_before_it_was_told_is_not_told() -> None:
    world = World(rule(hold="PT0S"), routes=patient("PT1M"))
    assert only(world.tick(Errors=12)).reason == "waiting for the group"
    assert only(world.tick(Errors=5)).reason == "resolved before it was sent"
    assert world.alerts.waiting() == []


def test_a_wait_that_ends_between_two_ticks_is_told_though_the_second_finds_it_over() -> None:
    world = World(rule(hold="PT0S"), routes=patient("PT59S"))
    (page,) = world.ticks(1, Errors=12)
    assert (page.reason, page.not_before) == ("first", START + timedelta(seconds=59))
    assert world.alerts.due(START + timedelta(minutes=1), 9) == [page]
    (resolve,) = world.ticks(1, Errors=5)
    assert resolve.reason == "all resolved"


def test_an_open_incident_tells_changes_every_5_minutes_and_reminds_after_4_hours() -> None:
    world = World(rule(hold="PT0S"))
    world.log.columns = ("Source", "value")
    world.tick(Errors=[("a", 12)])
    (added,) = world.ticks(8, Errors=[("a", 12), ("b", 15)])
    assert (added.action, added.reason) == ("trigger", "new alerts added")
    assert added.created_at == START + timedelta(minutes=5, seconds=3)
    (gone,) = world.ticks(8, Errors=[("a", 12), ("b", 5)])
    assert gone.reason == "some resolved"
    opened = world.record().incident
    assert opened is not None
    (reminder,) = world.ticks(240, Errors=[("a", 12), ("b", 5)])
    assert reminder.reason == "repeat interval elapsed"
    assert reminder.created_at - opened.notified_at == timedelta(hours=4, seconds=3)


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
    assert world.record("Broken/critical").version == 0
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
    assert only(world.evaluate.tick(START + timedelta(seconds=40))).outcome == "not due"
    assert world.record() == before
    assert len(world.alerts.waiting()) == 1


def test_a_rule_is_asked_as_often_as_it_says() -> None:
    world = World(rule(every="PT5M", hold="PT0S"))
    outcomes = [only(world.tick()).outcome for _ in range(11)]
    assert [n for n, outcome in enumerate(outcomes) if outcome == "evaluated"] == [0, 5, 10]


def test_of_two_evaluators_one_tells() -> None:
    world = World(rule(hold="PT0S"))
    rival = Evaluate(lambda: world.rules, world.log, world.alerts, ROUTES, "prod", "")

    class Slow(FakeLog):
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            rival.tick(START)
            return super().query(kql, start, end)

    world.log.says["Errors"] = 12
    slow = Evaluate(
        lambda: world.rules, Slow(says={"Errors": 12}), world.alerts, ROUTES, "prod", ""
    )
    assert only(slow.tick(START)).outcome == "not stored"
    assert len(world.alerts.waiting()) == 1


def test_an_incident_of_a_removed_rule_is_resolved() -> None:
    world = World(rule(), rule("Other"))
    world.ticks(3, Errors=12)
    del world.rules[0]
    report = world.tick()
    removed = report.rules[0]
    assert (removed.outcome, removed.reason) == ("removed", "rule removed")
    assert removed.page is not None
    assert (removed.page.action, removed.page.summary) == ("resolve", "[CRITICAL] 12 errors")
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
    world.evaluate = Evaluate(lambda: world.rules, world.log, world.alerts, moved, "prod", "")
    (closed,) = world.ticks(1, Errors=5)
    assert closed.route == "critical"


def test_a_page_that_nobody_took_is_made_anew_while_it_is_true() -> None:
    world = World(rule())
    (lost,) = world.ticks(3, Errors=12)
    world.alerts.settle(lost, Dead("HTTP 400"), world.now)
    (anew,) = world.ticks(8)
    assert (anew.reason, anew.dedup_key) == ("the last page died", lost.dedup_key)
    world.alerts.settle(anew, Accepted(202), world.now)
    assert world.ticks(8) == []


def test_a_warning_is_not_told_while_its_critical_twin_fires() -> None:
    world = World(rule(), rule(severity="warning", query="Warning {start} {end}"))
    (critical,) = world.ticks(10, Errors=12, Warning=12)
    assert critical.severity == "critical"
    closed, opened = world.ticks(1, Errors=5)
    assert (closed.action, closed.severity) == ("resolve", "critical")
    assert (opened.action, opened.severity) == ("trigger", "warning")


def test_a_silence_mutes_the_trigger_but_never_the_resolve() -> None:
    silence = Silence(
        "s1", (Matcher("alertname", "Err.*", is_regex=True),), START, START + timedelta(minutes=9)
    )
    world = World(rule(), silences=lambda: [silence])
    assert world.ticks(8, Errors=12) == []
    assert only(world.tick()).reason == "muted silence s1"
    assert world.record().muted_by == "silence s1"
    (opened,) = world.ticks(1)
    assert opened.action == "trigger"
    assert world.record().muted_by == ""
    later = Silence("s2", silence.matchers, START, START + timedelta(days=1))
    world.evaluate = Evaluate(
        *(lambda: world.rules, world.log, world.alerts, ROUTES, "prod", ""),
        silences=lambda: [later],
    )
    (closed,) = world.ticks(1, Errors=5)
    assert closed.action == "resolve"


def test_a_silence_over_an_open_incident_stops_reminders_and_changes_alone() -> None:
    silences: list[Silence] = []
    world = World(rule(hold="PT0S"), silences=lambda: silences)
    world.log.columns = ("Source", "value")
    assert len(world.ticks(1, Errors=[("a", 12)])) == 1
    over = START + timedelta(hours=5)
    silences.append(Silence("s1", (Matcher("alertname", "Errors"),), START, over, author="ada"))
    assert world.ticks(299, Errors=[("a", 12), ("b", 12)]) == []
    (update,) = world.ticks(2)
    assert (update.action, update.reason) == ("trigger", "new alerts added")
    assert update.created_at == over + timedelta(seconds=3)


def test_a_silence_of_one_series_leaves_the_others_and_is_named() -> None:
    silence = Silence("s1", (Matcher("Source", "b"),), START, START + timedelta(minutes=20))
    world = World(rule(hold="PT0S"), silences=lambda: [silence])
    world.log.columns = ("Source", "value")
    (opened,) = world.ticks(10, Errors=[("a", 12), ("b", 15)])
    assert opened.summary == "[CRITICAL] 12 errors"
    assert world.record().muted_by == "silence s1"
    assert world.ticks(10, Errors=[("a", 5), ("b", 15)]) == []
    (added,) = world.ticks(1)
    assert added.reason == "new alerts added"


def test_what_starts_to_mute_between_two_looks_is_noted_and_asks_nothing() -> None:
    silences: list[Silence] = []
    world = World(rule(every="PT5M", hold="PT0S"), silences=lambda: silences)
    world.ticks(2, Errors=12)
    silences.append(
        Silence("s1", (Matcher("alertname", "Errors"),), START, START + timedelta(hours=1))
    )
    asked = len(world.log.asked)
    assert only(world.tick()).outcome == "not due"
    assert world.record().muted_by == "silence s1"
    assert len(world.log.asked) == asked


def test_at_most_four_queries_are_in_flight() -> None:
    world = World(*(rule(f"R{n}") for n in range(12)))
    flying: list[int] = []
    gate = threading.Semaphore(4)
    together = threading.Barrier(4, timeout=5)

    class Counting(FakeLog):
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            flying.append(gate.acquire(blocking=False))
            together.wait()
            gate.release()
            return super().query(kql, start, end)

    world.evaluate = Evaluate(lambda: world.rules, Counting(), world.alerts, ROUTES, "prod", "")
    assert world.tick().complete
    assert all(flying)


def test_rules_that_cannot_be_read_touch_nothing() -> None:
    world = World(rule())
    world.ticks(3, Errors=12)

    def unreadable() -> Sequence[Rule]:
        raise Misconfigured("rules/Errors.toml: ...")

    before = world.record()
    broken = Evaluate(unreadable, world.log, world.alerts, ROUTES, "prod", "")
    with pytest.raises(Misconfigured):
        broken.tick(world.now)
    assert world.record() == before


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


def test_a_rule_may_ask_for_fewer_reminders_than_its_receiver_sends() -> None:
    world = World(rule(hold="PT0S"), rule("Quiet", hold="PT0S", repeat_interval="P400D"))
    pages = world.ticks(600, Errors=12, Quiet=12)
    assert [page.rule for page in pages] == ["Errors/critical", "Quiet/critical"] + [
        "Errors/critical"
    ] * 2
