import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
import requests
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from shared.errors import RetryLater
from shared.events.otlp.span import Span
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop
from tests.spans import CHAT, TRACE, span, unix_ns, wire
from tests.triggers.test_replies import failing, handler

PROTOBUF, JSON = "application/x-protobuf", "application/json"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("otlp"), FakeClock(START)) as running:
        yield running


def send(
    box: Laptop,
    body: bytes | Iterator[bytes],
    media: str = PROTOBUF,
    path: str = "traces",
    **more: str,
) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    headers = {"Content-Type": media, "x-functions-key": box.stack.places.key()} | named
    url = f"{box.stack.app_url}/v1/{path}"
    return box.http.post(url, data=body, headers=headers, timeout=TIMEOUT_S)


def packed(*spans: Span) -> bytes:
    return wire(spans).SerializeToString()


def as_json(*spans: Span) -> dict[str, Any]:
    """Return the request as OTLP's JSON: ids in hex, where protobuf's own has base64."""
    request = MessageToDict(wire(spans), use_integers_for_enums=True)
    for group, one in zip(request["resourceSpans"], spans, strict=True):
        (written,) = group["scopeSpans"][0]["spans"]
        written |= {"traceId": one.trace_id.upper(), "spanId": one.span_id}
        if one.parent_id:
            written["parentSpanId"] = one.parent_id
    return request


def called(box: Laptop, number: int) -> list[list[Any]]:
    """Return who was called and what it cost, as UsageEvents has it."""
    box.stack.host.drain()
    key = f"{TRACE}:{number:016x}"
    kql = f'UsageEvents | where EventId == "{key}" | project Provider, Model, InputTokens, CostUsd'
    return box.query(kql)


CALLED = [["openai", "gpt-4o", 1000, 0.0035]]


def test_protobuf_is_taken_and_answered_in_protobuf(box: Laptop) -> None:
    answer = send(box, packed(span(CHAT, 1)))
    assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportTraceServiceResponse.FromString(answer.content) == ExportTraceServiceResponse()
    assert called(box, 1) == CALLED


@pytest.mark.parametrize("kind", [3, "SPAN_KIND_CLIENT"])
def test_json_is_taken_and_answered_in_json(box: Laptop, kind: object) -> None:
    request = as_json(span(CHAT, 2))
    (written,) = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert written["startTimeUnixNano"] == str(unix_ns(START) - 1_500_000_000)
    written["kind"] = kind
    answer = send(box, json.dumps(request).encode(), f"{JSON}; charset=utf-8")
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, JSON, {})
    assert called(box, 2) == CALLED


def raw_deflate(body: bytes) -> bytes:
    """Compress without zlib's frame, as some senders understand `deflate`."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "number", "pack"),
    [
        pytest.param("gzip", 3, gzip.compress, id="gzip"),
        pytest.param("deflate", 4, zlib.compress, id="deflate"),
        pytest.param("deflate", 5, raw_deflate, id="raw-deflate"),
    ],
)
def test_compressed_bodies_are_unpacked(box: Laptop, encoding: str, number: int, pack: Any) -> None:
    assert send(box, pack(packed(span(CHAT, number))), content_encoding=encoding).ok
    assert called(box, number) == CALLED


def test_a_span_is_a_row_of_the_end_to_end_view_beside_its_event(box: Laptop) -> None:
    send(box, packed(span(CHAT, 7, 6)))
    assert called(box, 7) == CALLED
    kql = f'AppDependencies | where Id == "{7:016x}" | project DependencyType, ParentId, Properties'
    ((kind, parent, properties),) = box.query(kql)
    assert (kind, parent) == ("GenAI | openai", f"{6:016x}")
    stated = json.loads(properties)
    assert (stated["gen_ai.system"], stated["microsoft.gen_ai.cost.input"]) == (
        "openai",
        "0.00250000",
    )
    assert box.query(f'AppEvents | where ParentId == "{7:016x}" | project OperationId') == [[TRACE]]


def test_an_exporter_that_tries_again_is_counted_once(box: Laptop) -> None:
    for _ in range(3):
        assert send(box, packed(span(CHAT, 8))).ok
    assert called(box, 8) == CALLED
    assert len(box.query(f'AppDependencies | where Id == "{8:016x}"')) == 1


def test_refused_spans_are_counted_and_named_in_both_encodings(box: Laptop) -> None:
    request = wire([span(CHAT, 9), span(CHAT, 10, name="odd")])
    request.resource_spans[1].scope_spans[0].spans[0].span_id = b"short"
    answer = send(box, request.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 1)
    assert partial.error_message == (
        "1 spans were refused. odd: its trace id is not 16 bytes, or its span id not 8. The others "
        "were taken: send none again. See docs/opentelemetry.md."
    )
    body = as_json(span(CHAT, 11), span(CHAT, 12))
    body["resourceSpans"][1]["scopeSpans"][0]["spans"][0]["traceId"] = "no hex"
    success = send(box, json.dumps(body).encode(), JSON).json()["partialSuccess"]
    assert success["rejectedSpans"] == "1"
    assert "traceId is not hex digits" in success["errorMessage"]
    assert called(box, 9) == called(box, 11) == CALLED


def test_token_counts_that_were_fixed_are_said_though_nothing_was_rejected(box: Laptop) -> None:
    odd = {**CHAT, "gen_ai.usage.cache_read.input_tokens": 2000}
    answer = send(box, packed(span(odd, 13)))
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 0
    assert "cache_read_tokens 2000 was cut to input_tokens 1000" in partial.error_message


def test_spans_of_other_matters_are_taken_without_a_word_and_stored_nowhere(box: Laptop) -> None:
    before = box.stack.host.queues.counts()["usage-events"]
    assert send(box, packed(span({"http.request.method": "GET"}, 14))).content == b""
    assert box.stack.host.queues.counts()["usage-events"] == before


def logs() -> bytes:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1)
    record.body.string_value = "hello"
    return request.SerializeToString()


def metrics() -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(as_int=1)
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("body", "media", "status", "says"),
    [
        pytest.param(b"\xff\xff", PROTOBUF, 400, "ExportTraceServiceRequest", id="garbage"),
        pytest.param(logs(), PROTOBUF, 400, "/v1/logs", id="logs"),
        pytest.param(metrics(), PROTOBUF, 400, "/v1/metrics", id="metrics"),
        pytest.param(
            b'{"resourceSpans":[]}', PROTOBUF, 400, f"Send Content-Type: {JSON}", id="json"
        ),
        pytest.param(packed(span(CHAT)), JSON, 400, PROTOBUF, id="protobuf-as-json"),
        pytest.param(b'{"resourceLogs":[]}', JSON, 400, "/v1/logs", id="json-logs"),
        pytest.param(b"[]", JSON, 400, "JSON object", id="json-array"),
        pytest.param(b'{"resourceSpans":[1]}', JSON, 400, "array of objects", id="json-odd"),
        pytest.param(
            b'{"resourceSpans":[{"resource":1}]}', JSON, 400, "no object", id="json-resource"
        ),
        pytest.param(b"x", "text/plain", 415, PROTOBUF, id="media-type"),
        pytest.param(b"x" * 16_777_217, PROTOBUF, 413, "OTLP_MAX_BYTES", id="big"),
    ],
)
def test_a_wrong_body_has_its_own_answer_in_the_encoding_of_the_request(
    box: Laptop, body: bytes, media: str, status: int, says: str
) -> None:
    answer = send(box, body, media)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        PROTOBUF if media == PROTOBUF else JSON,
    )
    assert says in message_of(answer)


def message_of(answer: requests.Response) -> str:
    """Return the message of a google.rpc.Status: code is field 1, message field 2."""
    if answer.headers["content-type"] == JSON:
        assert answer.json()["code"] == 3
        return answer.json()["message"]
    status = ExportTracePartialSuccess.FromString(answer.content)
    assert status.rejected_spans == 3
    return status.error_message


@pytest.mark.parametrize(
    ("encoding", "body", "status", "says"),
    [
        pytest.param("br", b"x", 415, "gzip, deflate", id="encoding"),
        pytest.param("gzip", b"x", 400, "not gzip", id="no-gzip"),
        pytest.param("deflate", zlib.compress(b"x" * 99)[:-5], 400, "not deflate", id="cut-off"),
        pytest.param("gzip", gzip.compress(b"\0" * 16_777_217), 413, "OTLP_MAX_BYTES", id="bomb"),
        pytest.param("deflate", zlib.compress(b"\0" * 16_777_217), 413, "OTLP_MAX", id="zlib-bomb"),
    ],
)
def test_a_wrong_compression_has_its_own_answer(
    box: Laptop, encoding: str, body: bytes, status: int, says: str
) -> None:
    answer = send(box, body, content_encoding=encoding)
    assert answer.status_code == status
    assert says in message_of(answer)


def test_a_body_in_chunks_is_read_as_exporters_for_javascript_send_it(box: Laptop) -> None:
    body = packed(span(CHAT, 21))
    assert send(box, iter([body[:50], body[50:]])).status_code == 200
    assert called(box, 21) == CALLED


def test_without_forwarding_chunks_are_asked_for_in_one_piece(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START), HTTP_PROXYING="0") as plain:
        answer = send(plain, iter([packed(span(CHAT))]))
        assert answer.status_code == 411
        assert "Content-Length" in message_of(answer)


@pytest.mark.parametrize("path", ["traces", "metrics", "logs"])
def test_without_a_key_nothing_is_taken(box: Laptop, path: str) -> None:
    url = f"{box.stack.app_url}/v1/{path}"
    assert requests.post(url, data=packed(span(CHAT)), timeout=TIMEOUT_S).status_code == 401


def test_a_wrong_configuration_asks_to_come_again() -> None:
    headers = {"content-type": PROTOBUF}
    request = func.HttpRequest("POST", "http://host/v1/traces", headers=headers, body=b"")
    trigger = handler(failing(RetryLater("Storage is busy. Try again.", 7)), "post_traces")
    answer = trigger(request)
    status = ExportTracePartialSuccess.FromString(answer.get_body())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert (status.rejected_spans, status.error_message) == (14, "Storage is busy. Try again.")
