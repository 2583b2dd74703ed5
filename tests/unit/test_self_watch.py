"""Alerts about agentmeter itself, decided from what is stored."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.alerting.grouping import parse_routes
from shared.alerting.page import Accepted, Delivery, Later, Page
from shared.alerting.rule import Rule
from shared.errors import Misconfigured, RetryLater
from shared.ports import Table
from shared.storage.memory import MemoryDatabase
from shared.storage.packing import packed, text_key
from shared.storage.quarantine import SILENCES
from shared.storage.rows import Put
from shared.storage.stores import stores_of
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.self_watch import SelfWatch, own_rules, with_own
from shared.usecases.explaining.silences import Silences
from tests.fakes import FakeReceivers

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROUTES = parse_routes(
    """
    meta = "other"
    [receivers.other]
    group_wait = "PT0S"
    [receivers.pager]
    severities = ["critical", "error", "warning", "info"]
    group_wait = "PT0S"
    """,
    "routes.toml",
)
RULE = Rule.model_validate(
    {
        "name": "Errors",
        "group": "health",
        "severity": "critical",
        "window": "PT5M",
        "condition": "> 10",
        "summary": "errors",
        "query": "{start} {end}",
        "runbook": "docs/runbooks/Errors.md",
    }
)


WRONG_KEY = Later("HTTP 400", cause="repair")


class Log:
    """Says 12, unless it fails."""

    fails = False

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        if self.fails:
            raise RetryLater("HTTP 502")
        return Table(("value",), ((12,),))


class FakeReceiver:
    def __init__(self, answer: Delivery) -> None:
        self.answer = answer
        self.taken: list[tuple[str, str]] = []

    def send(self, page: Page) -> Delivery:
        if isinstance(self.answer, Accepted):
            self.taken.append((page.rule, page.action))
        return self.answer


class Poison:
    """A queue of so many messages, or one that may not be seen."""

    messages: int | None = 0

    def count(self) -> int:
        if self.messages is None:
            raise Misconfigured("403")
        return self.messages


class World:
    """The engine with its own rules over one store, a minute after the other."""

    def __init__(self, answer: Delivery) -> None:
        self.pager, self.other = FakeReceiver(answer), FakeReceiver(Accepted(200))
        self.database = MemoryDatabase()
        self.kept = stores_of(self.database)
        self.log, self.alerts, self.now = Log(), self.kept.alerts, NOON
        self.rules = [RULE]
        self.poison = Poison()
        rules = with_own(lambda: self.rules, lambda: ROUTES.meta)
        watch = SelfWatch(
            *(self.log, self.alerts, self.kept.set_aside, rules, lambda: ROUTES.meta, self.poison),
            {"rules": self.check},
        )
        silences = Silences(self.kept.silences, lambda: ()).all
        self.evaluate = Evaluate(
            *(rules, watch, self.alerts, lambda: ROUTES, "test", ""), silences=silences
        )
        self.deliver = Deliver(
            self.alerts, FakeReceivers({"pager": self.pager, "other": self.other})
        )

    wrong = False

    def check(self) -> str:
        if self.wrong:
            raise Misconfigured("rules/x.toml: ...")
        return "1 rules"

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.deliver.run(self.now)
            self.evaluate.tick(self.now)
            self.deliver.run(self.now)
            self.now += timedelta(minutes=1)


def test_pages_that_wait_are_reported_by_another_receiver_until_they_are_out() -> None:
    world = World(Later("HTTP 503"))
    world.ticks(5)
    assert world.other.taken == []
    world.ticks(3)
    assert world.other.taken == [("OutboxStuck/critical", "trigger")]
    world.pager.answer = Accepted(202)
    world.ticks(2)
    assert world.pager.taken == [("Errors/critical", "trigger")]
    assert world.other.taken[1:] == [("OutboxStuck/critical", "resolve")]


def test_a_refused_page_is_reported_by_another_receiver_with_its_receiver() -> None:
    world = World(WRONG_KEY)
    world.ticks(2)
    assert world.other.taken == [("PagesRefused/critical", "trigger")]
    page = next(p for p, _, _ in world.alerts.history(9) if p.route == "other")
    assert (
        page.summary
        == "[CRITICAL] pager takes none of 1 pages: its key or address is to be repaired"
    )
    world.ticks(10)
    assert len(world.other.taken) == 1
    world.pager.answer = Accepted(202)
    world.ticks(2)
    assert world.other.taken[1] == ("PagesRefused/critical", "resolve")


def test_a_meta_receiver_that_is_blocked_does_not_ring_about_itself() -> None:
    world = World(WRONG_KEY)
    world.other.answer = WRONG_KEY
    world.ticks(30)
    world.pager.answer = Accepted(202)
    world.ticks(40)
    assert not world.alerts.load("PagesRefused/critical").series


def test_a_rule_without_an_answer_is_reported_and_that_ends_with_it() -> None:
    world = World(Accepted(202))
    world.ticks(2)
    world.log.fails = True
    world.ticks(5)
    assert world.pager.taken == [("Errors/critical", "trigger")]
    world.ticks(1)
    assert world.pager.taken[-1] == ("RuleEvaluationFailing/critical", "trigger")
    world.log.fails = False
    world.ticks(3)
    assert world.pager.taken[-1] == ("RuleEvaluationFailing/critical", "resolve")


def test_a_removed_rule_that_failed_to_its_end_rings_no_more() -> None:
    world = World(Accepted(202))
    world.log.fails = True
    world.ticks(10)
    world.rules = [renamed(RULE)]
    world.log.fails = False
    world.ticks(5)
    assert not world.alerts.load("RuleEvaluationFailing/critical").series


def renamed(rule: Rule) -> Rule:
    return rule.model_copy(update={"name": "Other"})


def test_without_a_meta_receiver_its_alerts_are_left_out() -> None:
    assert {r.name for r in own_rules("other")} - {r.name for r in own_rules("")} == {
        "OutboxStuck",
        "PagesRefused",
        "AlertStateUnreadable",
    }


@pytest.mark.parametrize("severity", ["critical", "error", "warning", "info"])
def test_a_rule_without_an_answer_is_as_grave_as_itself(severity: str) -> None:
    world = World(Accepted(202))
    world.rules = [RULE.model_copy(update={"severity": severity})]
    world.ticks(1)
    world.log.fails = True
    world.ticks(9)
    failing = [rule for rule, _ in world.pager.taken if rule.startswith("RuleEvaluationFailing")]
    own_query = {"RuleEvaluationFailing/critical"}  # TelemetryStale has no answer, either
    assert set(failing) == {f"RuleEvaluationFailing/{severity}"} | own_query


def test_a_fresh_deployment_is_quiet_for_half_an_hour() -> None:
    world = World(Accepted(202))
    world.log.fails = True
    world.ticks(30)
    assert world.pager.taken == []
    world.ticks(2)
    assert world.pager.taken == [("RuleEvaluationFailing/critical", "trigger")]


def test_what_was_set_aside_pages_until_the_queue_is_empty() -> None:
    world = World(Accepted(202))
    world.rules = []
    world.ticks(3)
    world.poison.messages = 2
    world.ticks(3)
    assert world.pager.taken == [("PoisonQueueNotEmpty/error", "trigger")]
    (page,) = [page for page, _, _ in world.alerts.history(9)]
    assert page.summary == (
        "[ERROR] 2 messages of accepted events were dead-lettered and are not counted"
    )
    world.poison.messages = 0
    world.ticks(2)
    assert world.pager.taken[1:] == [("PoisonQueueNotEmpty/error", "resolve")]


def test_a_poison_queue_that_may_not_be_seen_is_a_rule_without_an_answer() -> None:
    world = World(Accepted(202))
    world.rules = []
    world.poison.messages = None
    world.ticks(9)
    assert world.pager.taken == [("RuleEvaluationFailing/error", "trigger")]


def test_a_configuration_that_is_wrong_pages_until_it_is_fixed() -> None:
    world = World(Accepted(202))
    world.rules = []
    world.wrong = True
    world.ticks(3)
    assert world.pager.taken == [("ConfigurationWrong/error", "trigger")]
    world.wrong = False
    world.ticks(2)
    assert world.pager.taken[1:] == [("ConfigurationWrong/error", "resolve")]


def test_an_unreadable_silence_pages_until_removed() -> None:
    world = World(Accepted(202))
    rows = world.database.table("silences")
    rows.commit(SILENCES, [Put(text_key("3f2a"), packed('{"id": "3f2a", "matchers": 7}', ""))])
    world.ticks(2)
    assert world.other.taken == [("AlertStateUnreadable/error", "trigger")]
    assert world.pager.taken == [("Errors/critical", "trigger")]
    (lost,) = world.kept.set_aside.listed()
    assert (lost.kind, lost.rule) == ("silence", "silence 3f2a")
    assert world.kept.set_aside.discard(lost.id)
    world.ticks(7)
    assert world.other.taken[1:] == [("AlertStateUnreadable/error", "resolve")]
