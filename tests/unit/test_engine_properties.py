"""The engine keeps its promises whatever the world does: hypothesis looks for what breaks them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from shared.storage.alerts import RowAlerts
from shared.storage.sqlite import connect
from shared.store_ports import AlertStore
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from tests.fakes import FakeReceivers
from tests.in_memory import MemoryAlerts
from tests.weather import (
    EDITS,
    MINUTE,
    ROUTES,
    RULES,
    SERIES,
    START,
    Facts,
    Fault,
    Fragile,
    Killed,
    Pager,
    Truth,
    alert_rule,
    open_keys,
)


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
            lambda: list(self.there.values()), self.facts, store, lambda: ROUTES, "test", ""
        )
        return Instance(store, evaluate, Deliver(store, FakeReceivers({"all": self.pager})))

    def _tick(self, instance: Instance) -> None:
        """Do what the timer does. A query that fails never ends or cancels an alert."""
        try:
            instance.deliver.run(self.now)
            report = instance.evaluate.tick(self.now)
            for item in report.rules:
                self.reasons |= {page.id: page.reason for page in item.pages}
                blind = self.facts.stale and item.outcome == "evaluated"
                if item.outcome == "query failed" or blind:
                    assert {step.state for step in item.transitions} <= {"pending", "firing"}
            instance.deliver.run(self.now)
        except Killed:
            self.instance = self._start()

    @rule(
        name=st.sampled_from([*sorted(RULES), "Teams"]),
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

    @rule(name=st.sampled_from(sorted(RULES)), edits=st.sampled_from(EDITS))
    def edit_rule(self, name: str, edits: dict[str, object]) -> None:
        self.there[name] = alert_rule(name, **edits)

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
        self.now = max([self.now, *self._last_evaluated()])
        for _ in range(20):
            self.now += MINUTE
            self._tick(self.instance)
        keys = {key for each in RULES.values() for key in open_keys(each)}
        assert set(self.pager.open) == (keys if truth == "bad" else set())
        assert list(self.alerts.waiting()) == []

    def _last_evaluated(self) -> list[datetime]:
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
        records = self.alerts.load_all()
        remembered = {one.dedup_key for r in records for one in r.incidents.values()}
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
            return (
                MemoryAlerts()
                if kind == "memory"
                else RowAlerts(connect(Path(":memory:")).table("a"))
            )

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


def test_a_clock_set_back_while_telemetry_is_stale_ends_nothing() -> None:
    engine = Engine()
    engine.calm(truth="bad")
    engine.telemetry_stops(stale=True)
    engine.edit_rule(name="Each", edits={"query": "Teams {start} {end}"})
    engine.clock_goes_back(minutes=1)
