"""The engine keeps its promises whatever the world does: hypothesis looks for what breaks them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from shared.adapters.memory import MemoryAlerts
from shared.adapters.sqlite import connect
from shared.adapters.sqlite_alerts import SqliteAlerts
from shared.alerting.grouping import parse_routes
from shared.alerting.history import Step, StepLog
from shared.alerting.page import Accepted, Dead, Delivery, Later, Page
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.errors import RetryLater
from shared.ports import AlertStore, Table
from shared.usecases.deliver import Deliver
from shared.usecases.evaluate import Evaluate

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROUTES = parse_routes(
    """
    [receivers.all]
    severities = ["critical", "error", "warning", "info"]
    notifier = "log"
    group_wait = "PT0S"
    """,
    "routes.toml",
)
SERIES = ("a", "b")
Truth = Literal["bad", "good", "absent"]
Fault = Literal["none", "503", "429", "400", "lost answer"]


def alert_rule(name: str) -> Rule:
    return Rule.model_validate(
        {
            "name": name,
            "group": "health",
            "severity": "critical",
            "window": "PT5M",
            "hold": "PT1M",
            "condition": "> 10",
            "summary": "{Source}",
            "query": f"{name} {{start}} {{end}}",
            "runbook": "docs/runbooks/x.md",
        }
    )


RULES = {name: alert_rule(name) for name in ("One", "Two")}


class Killed(BaseException):
    """The process vanishes; nothing in it may catch this."""


class Pager:
    """PagerDuty: incidents by key, and every page that was taken. A trigger that repeats one it
    has is a line in the log of an incident; one of which it took nothing opens it."""

    def __init__(self) -> None:
        self.fault: Fault = "none"
        self.open: dict[str, str] = {}
        self.opened: list[tuple[str, str]] = []
        self.taken: list[str] = []

    def send(self, page: Page) -> Delivery:
        match self.fault:
            case "503":
                return Later("HTTP 503")
            case "429":
                return Later("HTTP 429", 90)
            case "400":
                return Dead("HTTP 400") if page.action == "trigger" else Later("HTTP 400")
            case "lost answer":
                self._take(page)
                return Later("ReadTimeout")
            case "none":
                self._take(page)
                return Accepted(202)

    def _take(self, page: Page) -> None:
        self.taken.append(page.id)
        if page.action == "resolve":
            self.open.pop(page.dedup_key, None)
        elif page.dedup_key not in self.open:
            self.open[page.dedup_key] = page.id
            self.opened.append((page.dedup_key, page.id))


class Facts:
    """What each series of each rule is, which rules cannot be asked, and whether data comes in."""

    def __init__(self) -> None:
        self.truth: dict[tuple[str, str], Truth] = {}
        self.failing: set[str] = set()
        self.stale = False

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        name = kql.split()[0]
        if name == "union":
            return Table(("value",), ((int(not self.stale),),))
        if name in self.failing:
            raise RetryLater("HTTP 502")
        said = {"bad": 12.0, "good": 5.0}
        rows = [(s, said[t]) for s in SERIES if (t := self.truth.get((name, s), "good")) in said]
        return Table(("Source", "value"), tuple(rows))


class Fragile:
    """A store before or after whose n-th call the process dies; fits ports.AlertStore."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self.calls_left: int | None = None
        self.dies_after = False
        self._interrupt_in = -1
        self._interruption: Callable[[], None] = lambda: None

    def interrupt(self, calls: int, work: Callable[[], None]) -> None:
        """Do the work once, before so many more calls are through."""
        self._interrupt_in, self._interruption = calls, work

    def _do(self, work: Callable[[], Any]) -> Any:
        self._interrupt_in -= 1
        if self._interrupt_in == -1:
            self._interruption()
        if self.calls_left == 0 and not self.dies_after:
            raise Killed
        answer = work()
        if self.calls_left is not None:
            if self.calls_left == 0:
                self.dies_after = False
                raise Killed
            self.calls_left -= 1
        return answer

    def load(self, rule: str) -> RuleRecord:
        return self._do(lambda: self._store.load(rule))

    def load_all(self) -> Sequence[RuleRecord]:
        return self._do(self._store.load_all)

    def save(
        self, record: RuleRecord, pages: Sequence[Page], steps: Sequence[Step] = ()
    ) -> RuleRecord:
        return self._do(lambda: self._store.save(record, pages, steps))

    def due(self, now: datetime, most: int) -> Sequence[Page]:
        return self._do(lambda: self._store.due(now, most))

    def lease(self, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
        return self._do(lambda: self._store.lease(page, token, now, until))

    def settle(
        self, page: Page, outcome: Delivery, not_before: datetime, steps: Sequence[Step] = ()
    ) -> None:
        return self._do(lambda: self._store.settle(page, outcome, not_before, steps))

    def waiting(self) -> Sequence[Page]:
        return self._do(self._store.waiting)

    def history(self, most: int) -> Sequence[tuple[Page, Delivery, datetime]]:
        return self._do(lambda: self._store.history(most))

    @property
    def log(self) -> StepLog:
        return self._store.log


@dataclass
class Instance:
    """A process of the app: its use cases over a store that may die with it."""

    store: Fragile
    evaluate: Evaluate
    deliver: Deliver


class Engine(RuleBasedStateMachine):
    """Random weather over the engine, then calm; what is promised is looked at all the time."""

    make_store: Callable[[], AlertStore] = MemoryAlerts

    def __init__(self) -> None:
        super().__init__()
        self.alerts = self.make_store()
        self.facts = Facts()
        self.pager = Pager()
        self.there = dict(RULES)
        self.now = START + timedelta(seconds=3)
        self.reasons: dict[str, str] = {}
        self.instance = self._start()

    def _start(self) -> Instance:
        store = Fragile(self.alerts)
        evaluate = Evaluate(
            lambda: list(self.there.values()), self.facts, store, ROUTES, "test", ""
        )
        return Instance(store, evaluate, Deliver(store, {"all": self.pager}))

    def _tick(self, instance: Instance) -> None:
        """Do what the timer does. A query that fails never ends or cancels an alert."""
        try:
            instance.deliver.run(self.now)
            report = instance.evaluate.tick(self.now)
            for item in report.rules:
                if item.page:
                    self.reasons[item.page.id] = item.page.reason
                blind = self.facts.stale and item.outcome == "evaluated"
                if item.outcome == "query failed" or blind:
                    assert {step.state for step in item.transitions} <= {"pending", "firing"}
            instance.deliver.run(self.now)
        except Killed:
            self.instance = self._start()

    @rule(
        name=st.sampled_from(sorted(RULES)),
        series=st.sampled_from(SERIES),
        truth=st.sampled_from(["bad", "bad", "good", "absent"]),
    )
    def turn(self, name: str, series: str, truth: Truth) -> None:
        self.facts.truth[name, series] = truth

    @rule(name=st.sampled_from(sorted(RULES)), fails=st.booleans())
    def query_fails(self, name: str, fails: bool) -> None:
        self.facts.failing = self.facts.failing | {name} if fails else self.facts.failing - {name}

    @rule(stale=st.booleans())
    def telemetry_stops(self, stale: bool) -> None:
        self.facts.stale = stale

    @rule(fault=st.sampled_from(["none", "503", "429", "400", "lost answer"]))
    def pager_fails(self, fault: Fault) -> None:
        self.pager.fault = fault

    @rule(name=st.sampled_from(sorted(RULES)), there=st.booleans())
    def edit_rules(self, name: str, there: bool) -> None:
        self.there.pop(name, None)
        if there:
            self.there[name] = RULES[name]

    @rule(minutes=st.sampled_from([1, 1, 1, 2, 7, 30]))
    def minute_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        self._tick(self.instance)

    @rule(minutes=st.integers(1, 3))
    def clock_goes_back(self, minutes: int) -> None:
        self.now -= minutes * MINUTE
        self._tick(self.instance)

    @rule(calls=st.integers(0, 12), after=st.booleans())
    def process_dies(self, calls: int, after: bool) -> None:
        self.instance.store.calls_left, self.instance.store.dies_after = calls, after
        self.now += MINUTE
        self._tick(self.instance)
        self.instance = self._start()

    @rule(calls=st.integers(0, 12))
    def another_runs_meanwhile(self, calls: int) -> None:
        """A second instance does its whole tick between two calls of this one's."""
        rival = self._start()
        self.now += MINUTE
        self.instance.store.interrupt(calls, lambda: self._tick(rival))
        self._tick(self.instance)
        self.instance.store.interrupt(-1, lambda: None)

    @rule(truth=st.sampled_from(["bad", "good"]))
    def calm(self, truth: Truth) -> None:
        """Let everything be well again, and the facts stay as they are for a while."""
        self.facts.failing.clear()
        self.facts.stale = False
        self.pager.fault = "none"
        self.there = dict(RULES)
        self.facts.truth = {(name, each): truth for name in RULES for each in SERIES}
        self.now = max([self.now, *self._last_looks()])
        for _ in range(20):
            self.now += MINUTE
            self._tick(self.instance)
        keys = {f"agentmeter/test/{name}/critical" for name in RULES}
        assert set(self.pager.open) == (keys if truth == "bad" else set())
        assert list(self.alerts.waiting()) == []

    def _last_looks(self) -> list[datetime]:
        """Return the times up to which the rules were taken before the clock went back."""
        return [record.last_at for record in self.alerts.load_all() if record.last_at]

    @invariant()
    def one_page_opens_one_incident(self) -> None:
        opened = [page for _, page in self.pager.opened]
        assert len(set(opened)) == len(opened)
        known = {self.reasons[page] for page in opened if page in self.reasons}
        assert known <= {"first", "the last page died"}

    @invariant()
    def whatever_is_open_will_be_resolved(self) -> None:
        """An incident at the pager is known to a record, or its resolve waits."""
        remembered = {r.incident.dedup_key for r in self.alerts.load_all() if r.incident}
        resolving = {p.dedup_key for p in self.alerts.waiting() if p.action == "resolve"}
        assert self.pager.open.keys() <= remembered | resolving

    def teardown(self) -> None:
        self.calm("bad")
        self.calm("good")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_the_engine_keeps_its_promises_in_any_weather(kind: str) -> None:
    class Weather(Engine):
        @staticmethod
        def make_store() -> AlertStore:
            return MemoryAlerts() if kind == "memory" else SqliteAlerts(connect(Path(":memory:")))

    run_state_machine_as_test(
        Weather,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            database=None,
        ),
    )
