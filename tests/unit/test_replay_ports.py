"""Replay's ports without HTTP say and hear what the real ones do over HTTP."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic_core import to_json

from local.server import serve
from replay.azure import INSTRUMENTATION_KEY, DirectExporter, DirectLog
from replay.plan import Plan
from replay.rules import FaultyLog, planned
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.log_analytics import LogAnalytics
from shared.alerting.rule import bind
from shared.errors import AgentmeterError, GiveUp, RetryLater
from shared.events.body import Limits
from shared.ports import Exporter, Table
from shared.pricing.price import load
from shared.rows import EventRow, ExportOutcome, FailureRow, MetricRow, SpanRow
from shared.usecases.evaluation.write_metrics import MINUTE, Minutely
from shared.usecases.intake.ingest import Ingest
from shared.usecases.processing.process import Process, Stores
from standin.monitor.app import create_app
from standin.monitor.store import MonitorStore
from standin.monitor.translate import translate
from tests.factories import DATA, event
from tests.fakes import START, FakeClock
from tests.in_memory import MemoryClaims, MemoryLabels, MemoryMark, MemorySeries, MemoryTraces
from tests.journeys.scenario import QUEUE, RULES

MACHINE = {"_ItemId", "AppRoleInstance", "SDKVersion"}
"""Columns in which the real exporter names the machine it runs on."""
HOUR = timedelta(hours=1)


@pytest.fixture
def over_http() -> Iterator[tuple[MonitorStore, str]]:
    store = MonitorStore(None, FakeClock())
    server = serve(create_app(store))
    yield store, server.url
    server.stop()
    store.close()


@pytest.fixture
def direct() -> Iterator[MonitorStore]:
    store = MonitorStore(None, FakeClock())
    yield store
    store.close()


def real(url: str) -> AzureMonitorExporter:
    return AzureMonitorExporter(f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={url}")


def process_every_kind(exporter: Exporter) -> None:
    """Send one event of each kind, with trace and counts, through the pipeline, then metrics."""
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    events = [event(kind, number, count=3, team_id="é") for number, kind in enumerate(DATA)]
    body = to_json([{**one, "traceparent": trace, "subject": "s"} for one in events])
    received = Ingest(Limits()).accept(body, {"content-type": "application/json"}, START)
    stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), MemoryTraces())
    minutely = Minutely(stores.series, MemoryMark(), lambda: exporter)
    minutely.write(START - MINUTE)
    for message in received.messages:
        process = Process(stores, exporter, load(""), 200)
        assert process.run(message, 1, START).exported == len(DATA) == 15
    minutely.write(START)


def rows(store: MonitorStore, table: str) -> list[dict[str, object]]:
    answer = store.query(f"{table} | order by Name asc, tostring(Properties) asc")
    named = (dict(zip(answer.columns, row, strict=True)) for row in answer.rows)
    return [{k: v for k, v in row.items() if k not in MACHINE} for row in named]


@pytest.mark.parametrize("table", ["AppEvents", "AppMetrics"])
def test_every_kind_of_event_leaves_the_rows_that_the_sdk_leaves(
    over_http: tuple[MonitorStore, str], direct: MonitorStore, table: str
) -> None:
    store, url = over_http
    process_every_kind(real(url))
    process_every_kind(DirectExporter(direct))
    assert len(rows(direct, table)) >= len(DATA)
    assert rows(direct, table) == rows(store, table)


SPANS = [
    SpanRow("chat", START, HOUR, {"gen_ai.system": "openai", "n": "1"}, "a" * 32, "b" * 16),
    SpanRow("chat", START, HOUR * 30, {}, "a" * 32, "b" * 16, "c" * 16, "shop", True, True),
    SpanRow("tool", START, HOUR / 7, {"gen_ai.system": "x"}, "a" * 32, "d" * 16, client=True),
    SpanRow("", START, HOUR * 0, {"gen_ai.operation.name": "é"}, "a" * 32, "e" * 16, role="é"),
    SpanRow(
        *("POST /v2/enqueue", START, HOUR, {"page": "7"}, "a" * 32, "f" * 16, "b" * 16, "own"),
        *(True, True, "https://events.pagerduty.com/v2/enqueue", "503"),
    ),
    SpanRow(
        *("POST /", START, HOUR, {"a": "b"}, "a" * 32, "9" * 16, "b" * 16, "own", True, True),
        url="http://127.0.0.1:7073",
    ),
    SpanRow("bad", START, HOUR, {"db.system": "x"}, "a" * 32, "b" * 16),
    SpanRow("old", START - timedelta(days=3), HOUR, {}, "a" * 32, "b" * 16),
]


def test_spans_leave_the_rows_that_the_sdk_leaves(
    over_http: tuple[MonitorStore, str], direct: MonitorStore
) -> None:
    store, url = over_http
    assert real(url).spans(SPANS) == DirectExporter(direct).spans(SPANS)
    assert len(rows(direct, "AppDependencies")) == 6
    assert rows(direct, "AppDependencies") == rows(store, "AppDependencies")


def test_failures_leave_the_rows_that_the_sdk_leaves(
    over_http: tuple[MonitorStore, str], direct: MonitorStore
) -> None:
    store, url = over_http
    said = ("RetryLater", "HTTP 503", "  File a.py, line 1\n", START, {"rule": "a/error"})
    failures = [
        FailureRow(*said, "a" * 32, "b" * 16),
        FailureRow("OSError", "", "", START, {}, "", ""),
        FailureRow("OSError", "x" * 9000, "", START, {}, "", ""),
    ]
    assert real(url).failures(failures) == DirectExporter(direct).failures(failures)
    named = "TimeGenerated, ExceptionType, Message, OperationId, ParentId, SeverityLevel, Details"
    query = f"AppExceptions | order by ExceptionType asc | project {named}, Properties, ProblemId"
    assert len(direct.query(query).rows) == 2
    assert direct.query(query).rows == store.query(query).rows


def test_typed_columns_are_those_that_the_sdk_leaves(
    over_http: tuple[MonitorStore, str], direct: MonitorStore
) -> None:
    store, url = over_http
    query = "UsageEvents | order by Name asc"
    process_every_kind(real(url))
    process_every_kind(DirectExporter(direct))
    assert direct.query(query).rows == store.query(query).rows


ODD_EVENTS = [
    EventRow("bad name!", START, {}, {}),
    EventRow("llm.call", START, {"message": "x" * 9000}, {}),
    EventRow("llm.call", START, {}, {"count": float("inf")}),
    EventRow("llm.call", START - timedelta(days=3), {}, {}),
    EventRow("llm.call", START, {"id": ""}, {"count": 1.0}),
]
ODD_METRICS = [
    MetricRow("m", START, (), 1.0, count=2),
    MetricRow("m", START, (("l", "x" * 9000),), 1.0),
    MetricRow("m", START, (("l", ""),), 1.0, 2, 0.25, 0.75),
]


def refused(outcomes: Sequence[ExportOutcome]) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


def test_what_the_real_exporter_refuses_is_refused_with_the_same_words(
    over_http: tuple[MonitorStore, str], direct: MonitorStore
) -> None:
    exporter, sdk = DirectExporter(direct), real(over_http[1])
    assert exporter.events(ODD_EVENTS) == sdk.events(ODD_EVENTS)
    assert exporter.metrics(ODD_METRICS) == sdk.metrics(ODD_METRICS)
    assert refused(exporter.events(ODD_EVENTS)) == ["ExportRefused"] * 4 + ["Exported"]


QUESTIONS = [
    "UsageEvents | summarize value = sum(CostUsd)",
    "print a = 1, b = 1.5, c = 'x', d = true, e = datetime(2026-01-05), f = 90s",
    "print nan = real(nan), inf = real(+inf), none = real(null), text = ''",
    "print many = dynamic([1, 'a']), money = decimal(1.10), whole = 3.0",
    "range n from 1 to 3 step 1",
]


@pytest.mark.parametrize("kql", QUESTIONS)
def test_an_answer_is_the_one_that_the_real_client_gives(
    over_http: tuple[MonitorStore, str], kql: str
) -> None:
    store, url = over_http
    client = LogAnalytics(url, "any")
    there, here = (log.query(kql, START, START + HOUR) for log in (client, DirectLog(store)))
    assert repr(here) == repr(there)


def test_a_wrong_query_is_given_up_in_the_same_words(over_http: tuple[MonitorStore, str]) -> None:
    store, url = over_http

    def said(ask: Callable[[str, datetime, datetime], Table]) -> str:
        with pytest.raises(GiveUp) as caught:
            ask("UsageEvents | where NoColumn > 1", START, START + HOUR)
        return str(caught.value)

    assert said(DirectLog(store).query) in said(LogAnalytics(url, "any").query)


def test_one_alerts_queries_fail_in_the_time_of_the_plan_alone(direct: MonitorStore) -> None:
    fault = {"alert": "HighTaskQueueBacklog", "from": 60, "to": 120}
    plan = Plan.model_validate(
        {"start": START, "duration_s": 600, "evaluation_faults": [fault, {"from": 300, "to": 301}]}
    )
    clock = FakeClock()
    log = FaultyLog(DirectLog(direct), plan, clock)
    queue, pool = planned([RULES[QUEUE], RULES["LowDatabaseConnections/warning"]], plan)

    def failing() -> list[bool]:
        return [_fails(log, rule.query) for rule in (queue, pool)]

    found = {0: failing()}
    for second in (59, 60, 119, 120, 300, 301):
        clock.advance(seconds=second - (clock.now() - START).total_seconds())
        found[second] = failing()
    assert [second for second, fails in found.items() if fails == [True, False]] == [
        60,
        119,
    ]
    assert [second for second, fails in found.items() if all(fails)] == [300]
    assert sum(any(fails) for fails in found.values()) == 3


def _fails(log: FaultyLog, query: str) -> bool:
    try:
        log.query(bind(query, START - HOUR, START), START - HOUR, START)
    except RetryLater:
        return True
    except AgentmeterError as exc:
        pytest.fail(str(exc))
    return False


def test_a_query_at_two_times_is_translated_once() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    bound = (bind(RULES[QUEUE].query, start + n * HOUR, start + 2 * n * HOUR) for n in (1, 2))
    first, second = (translate(kql, datetime(2026, 1, 5)) for kql in bound)  # noqa: DTZ001 - UTC
    assert first.sql is second.sql
    assert sorted(second.values.values()) == [datetime(2026, 1, 5, hour) for hour in (2, 4)]  # noqa: DTZ001 - UTC
