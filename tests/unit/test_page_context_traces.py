"""Pages lead back to the traces of what they are about, where the rule's query lets them."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from replay.azure import DirectLog
from shared.alerting.grouping import parse_routes
from shared.alerting.page import Page
from shared.alerting.rule import Condition, Rule, bind
from shared.errors import RetryLater
from shared.invocation import Invocation, Span, running
from shared.ports import Table
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.page_context import samples_kql, traces_of
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.in_memory import MemoryAlerts
from tests.journeys.scenario import RULES

ROUTES = parse_routes(
    '[receivers.all]\nseverities = ["critical", "error", "warning", "info"]\ngroup_wait = "PT0S"\n',
    "routes.toml",
)
TRACES = ["1" * 32, "2" * 32]
QUERY = "UsageEvents\n| where TimeGenerated >= {start} and TimeGenerated < {end}"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def rule(query: str) -> Rule:
    return Rule.model_validate(
        {
            **{"name": "Errors", "group": "health", "severity": "warning", "window": "PT5M"},
            **{"condition": "> 10", "summary": "errors", "query": query},
        }
    )


class Log:
    """Finds trouble, and the traces that it knows, or has no answer to the second question."""

    def __init__(self, traces: Sequence[str] | None) -> None:
        self._traces = traces
        self.asked: list[str] = []

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        if "OperationId" not in kql:
            return Table(("value", "Component"), ((12, 'a "quoted" one'),))
        self.asked.append(kql)
        if self._traces is None:
            raise RetryLater("HTTP 503")
        return Table(("OperationId", "Seen"), tuple((trace, NOON) for trace in self._traces))


def paged(log: Log, query: str = QUERY + "\n| summarize value = count() by Component") -> Page:
    alerts = MemoryAlerts()
    tick = Invocation("evaluate_alerts", "i", Span("e" * 32, "b" * 16), lambda: NOON)
    with running(tick):
        Evaluate(lambda: [rule(query)], log, alerts, lambda: ROUTES, "test", "").tick(NOON)
    (page,) = alerts.waiting()
    return page


def test_a_page_names_the_trace_of_its_decision_and_those_of_its_events() -> None:
    page = paged(log := Log(TRACES))
    assert traces_of(page) == {"decided_in": "e" * 32, "event_traces": ",".join(TRACES)}
    assert '| where Component == "a \\"quoted\\" one"' in log.asked[0]


@pytest.mark.parametrize("traces", [None, []])
def test_without_an_answer_the_page_goes_out_without_them(traces: list[str] | None) -> None:
    assert traces_of(paged(Log(traces))) == {"decided_in": "e" * 32}


def test_a_query_of_another_shape_is_left_alone() -> None:
    log = Log(TRACES)
    paged(log, "let A = 1;\n" + QUERY + "\n| summarize value = count()")
    assert log.asked == []


PLAIN = [
    pytest.param(condition, id=f"{rule.name}-{condition.name}")
    for rule in RULES.values()
    for condition in rule.conditions
    if condition.query.lstrip().startswith("UsageEvents")
]


@pytest.mark.parametrize("condition", PLAIN)
def test_the_question_can_be_asked_of_plain_rules(condition: Condition) -> None:
    store = MonitorStore(None, FakeClock())
    kql = samples_kql(condition, {"Provider": "openai", "Severity": "no column"})
    assert kql
    answer = DirectLog(store).query(bind(kql, START, START, condition.calendar), START, START)
    assert "OperationId" in answer.columns
    store.close()
