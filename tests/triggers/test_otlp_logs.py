"""POST /v1/logs reads coding agents' events; /v1/metrics says what to send instead."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from shared.events.otlp.span import Scalar
from tests.coding_agents import body_of
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop
from tests.spans import CHAT, SERVICE, pairs, span, unix_ns
from tests.triggers.test_otlp import JSON, PROTOBUF, packed, send

USED: dict[str, Scalar] = {
    "event.name": "api_request",
    "model": "claude-sonnet-4-5",
    "input_tokens": 100,
    "output_tokens": 80,
    "cache_read_tokens": 1000,
    "cost_usd": 0.0018,
    "user.email": "ada@example.com",
    "organization.id": "org-1",
}
MODEL = "claude-sonnet-4-5"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("otlp-logs"), FakeClock(START)) as running:
        yield running


def request(*sessions: str, **more: Scalar) -> ExportLogsServiceRequest:
    """Return an export of one event of Claude Code per session."""
    made = ExportLogsServiceRequest()
    group = made.resource_logs.add()
    group.resource.attributes.extend(pairs(SERVICE))
    scope = group.scope_logs.add()
    scope.scope.name = "com.anthropic.claude_code.events"
    for session in sessions:
        record = scope.log_records.add(time_unix_nano=unix_ns(START))
        record.body.string_value = "claude_code.api_request"
        record.attributes.extend(pairs({**USED, "session.id": session, **more}))
    return made


def stored(box: Laptop, session: str) -> list[list[Any]]:
    box.stack.host.drain()
    kql = f'UsageEvents | where ConversationId == "{session}" and Name == "llm.call"'
    return box.query(f"{kql} | project Model, InputTokens, OutputTokens, CostUsd, CostStatus")


EXACT = [[MODEL, 1100, 80, 0.0018, "known"]]


def test_protobuf_is_read(box: Laptop) -> None:
    answer = send(box, request("s-1").SerializeToString(), path="logs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportLogsServiceResponse.FromString(answer.content) == ExportLogsServiceResponse()
    assert stored(box, "s-1") == EXACT


def test_recorded_json_is_read_once_however_often_it_is_sent(box: Laptop) -> None:
    for _ in range(2):
        answer = send(box, body_of("claude_code.logs"), JSON, path="logs")
        assert (answer.status_code, answer.json()) == (200, {})
    send(box, body_of("claude_code.traces"), JSON)
    found = stored(box, "e51d81ef-ebc8-44aa-9c28-e75b7962d4e8")
    assert found == [["claude-sonnet-4-5-20250929", 1400, 80, 0.00315, "known"]] * 2


def test_gzip_and_chunks_are_undone(box: Laptop) -> None:
    body = gzip.compress(request("s-2").SerializeToString())
    answer = send(box, iter([body[:40], body[40:]]), path="logs", content_encoding="gzip")
    assert answer.status_code == 200
    assert stored(box, "s-2") == EXACT


def test_a_stated_cost_that_differs_is_not_believed(box: Laptop) -> None:
    send(box, request("s-3", cost_usd=0.5).SerializeToString(), path="logs")
    assert stored(box, "s-3") == [[MODEL, 1100, 80, 0.0018, "estimated"]]


def test_user_and_organisation_are_kept(box: Laptop) -> None:
    send(box, request("s-4").SerializeToString(), path="logs")
    box.stack.host.drain()
    kql = 'UsageEvents | where ConversationId == "s-4" | project AgentType, UserId, Tenant'
    assert box.query(kql) == [["claude-code", "ada@example.com", "org-1"]]


def test_refused_records_are_counted_and_named(box: Laptop) -> None:
    sent = json.loads(body_of("codex.logs"))
    (wrong, *_) = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    wrong["traceId"] = "no hex"
    said = send(box, json.dumps(sent).encode(), JSON, path="logs").json()["partialSuccess"]
    assert said["rejectedLogRecords"] == "1"
    assert said["errorMessage"].startswith("1 log records were refused. ")
    protobuf = send(box, request("x" * 2000).SerializeToString(), path="logs")
    assert ExportLogsServiceResponse.FromString(protobuf.content) == ExportLogsServiceResponse()


def metrics(*names: str) -> bytes:
    made = ExportMetricsServiceRequest()
    for name in names:
        metric = made.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
        metric.gauge.data_points.add(as_int=1)
    return made.SerializeToString()


@pytest.mark.parametrize(
    ("body", "media", "status", "says"),
    [
        pytest.param(packed(span(CHAT)), PROTOBUF, 400, "/v1/traces", id="traces"),
        pytest.param(metrics("m"), PROTOBUF, 400, "/v1/metrics", id="metrics"),
        pytest.param(b'{"resourceSpans": []}', JSON, 400, "/v1/traces", id="json-traces"),
        pytest.param(b"\xff\xff", PROTOBUF, 400, "ExportLogsServiceRequest", id="garbage"),
        pytest.param(b"x", "text/plain", 415, PROTOBUF, id="media-type"),
    ],
)
def test_a_wrong_body_is_named(
    box: Laptop, body: bytes, media: str, status: int, says: str
) -> None:
    answer = send(box, body, media, path="logs")
    assert answer.status_code == status
    assert says in answer.text


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("claude_code.token.usage",), "OTEL_LOGS_EXPORTER=otlp"),
        (("gen_ai.client.token.usage", "gemini_cli.token.usage"), "Gemini CLI"),
        (("codex.turn.token_usage",), "`exporter` under [otel]"),
        (("gen_ai.client.operation.duration",), "OTEL_TRACES_EXPORTER=otlp"),
        (("http.server.request.duration",), "OTEL_METRICS_EXPORTER=none"),
    ],
)
def test_metrics_are_answered_by_their_names(
    box: Laptop, names: tuple[str, ...], says: str
) -> None:
    answer = send(box, metrics(*names), path="metrics")
    partial = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_data_points) == (200, 0)
    assert says in partial.error_message


@pytest.mark.parametrize("body", [b"", b"\xff\xff", b"{}"])
def test_unreadable_metrics_are_answered_too(box: Laptop, body: bytes) -> None:
    answer = send(box, body, JSON, path="metrics")
    assert "No metrics are used here" in answer.json()["partialSuccess"]["errorMessage"]
