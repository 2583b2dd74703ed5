"""The stand-in as Microsoft's own clients see it, and ours over them."""

import json
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
)
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsQueryResult
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from local.server import serve
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.log_analytics import LogAnalytics
from shared.errors import GiveUp
from shared.rows import EventRow, Exported, ExportLater, ExportRefused, MetricRow
from standin.monitor.app import create_app
from standin.monitor.query import Limits
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.monitor import KEY

SWITCHES = ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED")
QUIET: dict[str, Any] = {"disable_offline_storage": True, "retry_total": 0}
RESOURCE = Resource({"service.name": "agentmeter", "service.instance.id": "one"})
START_NS = int(START.timestamp()) * 10**9


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    for switch in SWITCHES:
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{switch}", "true")
    store = MonitorStore(None, FakeClock(), Limits(rows=1000))
    server = serve(create_app(store))
    yield server.url
    server.stop()
    store.close()


def connection(url: str) -> str:
    return f"InstrumentationKey={KEY};IngestionEndpoint={url}/;LiveEndpoint={url}/"


class PlainAuth(SansIOHTTPPolicy[Any, Any]):
    """What stands for a token over plain http."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer local"


class NoCredential:
    """Never asked, as the policy above answers for it."""

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        raise AssertionError(scopes)


@pytest.fixture
def logs(url: str) -> Generator[LogsQueryClient]:
    client = LogsQueryClient(
        NoCredential(), endpoint=url, authentication_policy=PlainAuth(), retry_total=0
    )
    with client:
        yield client


def ask(logs: LogsQueryClient, kql: str, timespan: Any = None) -> LogsQueryResult:
    answer = logs.query_workspace("any", kql, timespan=timespan)
    assert isinstance(answer, LogsQueryResult)
    return answer


def rows(logs: LogsQueryClient, kql: str, timespan: Any = None) -> list[list[Any]]:
    return [list(row) for row in ask(logs, kql, timespan).tables[0].rows]


def record(number: int, at_ns: int = START_NS) -> ReadableLogRecord:
    numbers = {"usd": number / 8, "in": number}
    attributes = {
        "microsoft.custom_event.name": "llm.call",
        "microsoft.custom_measurements": json.dumps(numbers),
        "id": str(number),
        "source": "sdk",
        "model": "gpt-4",
    }
    return ReadableLogRecord(
        log_record=LogRecord(
            timestamp=at_ns,
            observed_timestamp=at_ns,
            context=set_span_in_context(
                NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False))
            ),
            attributes=attributes,
        ),
        resource=RESOURCE,
        instrumentation_scope=InstrumentationScope("agentmeter"),
    )


def test_events_of_the_sdk_come_back_through_the_sdk(url: str, logs: LogsQueryClient) -> None:
    exporter = AzureMonitorLogExporter(connection_string=connection(url), **QUIET)
    sent = [record(n) for n in range(1, 101)]
    assert exporter.export(sent) is LogRecordExportResult.SUCCESS
    kql = "UsageEvents | summarize sum(CostUsd), sum(InputTokens), count() by Model"
    assert rows(logs, kql) == [["gpt-4", 631.25, 5050, 100]]
    kql = "AppEvents | distinct Name, OperationId, ParentId, AppRoleName, AppRoleInstance, IKey"
    ids = [f"{0xABC:032x}", f"{0xDEF:016x}"]
    assert rows(logs, kql) == [["llm.call", *ids, "agentmeter", "one", KEY]]
    exporter.shutdown()


def test_the_sdk_hears_of_events_that_are_too_old(url: str, logs: LogsQueryClient) -> None:
    exporter = AzureMonitorLogExporter(connection_string=connection(url), **QUIET)
    old = record(1, START_NS - 49 * 3600 * 10**9)
    assert exporter.export([old, record(2)]) is LogRecordExportResult.FAILURE
    assert rows(logs, "UsageEvents | project EventId") == [["2"]]
    exporter.shutdown()


def test_metrics_of_the_sdk_come_back_through_the_sdk(url: str, logs: LogsQueryClient) -> None:
    exporter = AzureMonitorMetricExporter(connection_string=connection(url), **QUIET)
    points = [
        NumberDataPoint({"model": model}, START_NS, START_NS, value)
        for model, value in (("a", 1.5), ("b", 2))
    ]
    total = Sum(points, AggregationTemporality.DELTA, is_monotonic=True)
    scope = ScopeMetrics(
        InstrumentationScope("agentmeter"), [Metric("llm_cost_usd_total", "", "", total)], ""
    )
    data = MetricsData([ResourceMetrics(RESOURCE, [scope], "")])
    assert exporter.export(data) is MetricExportResult.SUCCESS
    kql = "AppMetrics | project Name, Model = tostring(Properties.model), Sum, ItemCount"
    assert rows(logs, f"{kql} | order by Model asc") == [
        ["llm_cost_usd_total", "a", 1.5, 1],
        ["llm_cost_usd_total", "b", 2.0, 1],
    ]
    exporter.shutdown()


def test_the_client_reads_every_type_of_cell(logs: LogsQueryClient) -> None:
    answer = ask(
        logs,
        "print now(), 1, 0.5, true, 'x', dynamic([1]), 90s, real(nan), int(5), "
        "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
    ).tables[0]
    assert answer.columns_types == [
        "datetime", "long", "real", "bool", "string", "dynamic", "timespan", "real", "int", "guid",
    ]  # fmt: skip
    assert list(answer.rows[0]) == [
        START, 1, 0.5, True, "x", "[1]", "00:01:30", "NaN", 5,
        "74be27de-1e4e-49d9-b579-fe0b331d3642",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("timespan", "expected"),
    [
        (None, 3),
        (timedelta(minutes=90), 2),
        ((START - timedelta(hours=2), START), 2),
        ((START - timedelta(hours=1), timedelta(hours=1)), 1),
        ((START, START + timedelta(seconds=1)), 1),
    ],
)
def test_the_clients_timespan_limits_the_tables(
    url: str, logs: LogsQueryClient, timespan: Any, expected: int
) -> None:
    exporter = AzureMonitorExporter(connection(url))
    exporter.events([EventRow("x", START - timedelta(hours=n), {"id": "1"}, {}) for n in range(3)])
    for table in ("AppEvents", "UsageEvents"):
        assert rows(logs, f"{table} | count", timespan) == [[expected]]


def test_the_client_is_reported_what_is_wrong_and_where(logs: LogsQueryClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        ask(logs, "AppEvents | wherex")
    assert caught.value.status_code == 400
    error: Any = caught.value.error
    assert (error.code, error.innererror["code"]) == ("BadArgumentError", "SyntaxError")


def test_the_client_is_reported_that_an_answer_is_partial(logs: LogsQueryClient) -> None:
    answer = logs.query_workspace("any", "range x from 1 to 1001 step 1", timespan=None)
    assert isinstance(answer, LogsQueryPartialResult)
    assert len(answer.partial_data[0].rows) == 1000
    error: Any = answer.partial_error
    assert error.code == "PartialError"


def test_statistics_and_rendering_reach_the_client(logs: LogsQueryClient) -> None:
    answer = logs.query_workspace(
        "any",
        "print 1 | render piechart",
        timespan=None,
        server_timeout=30,
        include_statistics=True,
        include_visualization=True,
    )
    assert isinstance(answer, LogsQueryResult)
    assert answer.statistics is not None
    assert answer.statistics["query"]["executionTime"] > 0
    assert answer.visualization == {"visualization": "piechart"}


def test_our_exporter_and_our_log_meet_in_it(url: str) -> None:
    exporter = AzureMonitorExporter(connection(url))
    log = LogAnalytics(url, "any")
    call = EventRow("llm.call", START, {"id": "1", "source": "s"}, {"cost_usd": 0.1}, "a" * 32)
    late = EventRow("llm.call", START - timedelta(hours=49), {"id": "2"}, {})
    outcomes = exporter.events([call, late])
    assert outcomes[0] == Exported()
    assert isinstance(outcomes[1], ExportRefused)
    assert outcomes[1].why.startswith("103: ")
    queue = MetricRow("task_queue_size", START, (("priority", "high"),), 3.0)
    assert exporter.metrics([queue]) == [Exported()]
    kql = "UsageEvents | project TimeGenerated, EventId, CostUsd, InputTokens, OperationId"
    table = log.query(kql, START, START + timedelta(minutes=1))
    assert table.rows == ((START, "1", 0.1, None, "a" * 32),)
    with pytest.raises(GiveUp, match="Nowhere"):
        log.query("Nowhere | count", START, START)


def test_our_exporter_lives_through_a_switched_fault(url: str) -> None:
    exporter = AzureMonitorExporter(connection(url))
    fault = {"track": {"status": 503, "retry_after": 1}}
    requests.post(f"{url}/faults", json=fault, timeout=5)
    row = EventRow("x", datetime(2026, 11, 23, 12, tzinfo=UTC), {"id": "1"}, {})
    (outcome,) = exporter.events([row])
    assert isinstance(outcome, ExportLater)
    assert outcome.retry_after_s == 1
    assert exporter.events([row]) == [Exported()]
