"""Reads OTLP trace requests, protobuf or JSON, into spans."""

import base64
import binascii
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from pydantic_core import from_json

from shared.errors import InvalidEvent
from shared.events.otlp.media import JSON, PROTOBUF, Media
from shared.events.otlp.span import MAX_CHARS, Attributes, Kind, Scalar, Span

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
"""Field → bytes; JSON writes them in hex, where protobuf's own JSON would have base64."""
KINDS: Mapping[int, Kind] = {
    WireSpan.SPAN_KIND_UNSPECIFIED: "internal",
    WireSpan.SPAN_KIND_INTERNAL: "internal",
    WireSpan.SPAN_KIND_CLIENT: "client",
}
JsonObject = Mapping[str, object]
Read = Span | str
"""A span, or why it is none."""


def read_traces(body: bytes, media: Media) -> list[Read]:
    """Return the spans of an unpacked request; one that is wrong does not sink its neighbours.

    Raises:
        InvalidEvent: nothing can be made of the body as a whole; says what it seems to be.
    """
    return list(_from_json(body) if media == JSON else _from_protobuf(body))


def _from_protobuf(body: bytes) -> Iterator[Read]:
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        request = None
    if request is None or _is_strange(request):
        raise InvalidEvent(_guess(body))
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _span(span, resource, scope.scope.name)


def _is_strange(request: ExportTraceServiceRequest) -> bool:
    """Tell whether no span has an id: another signal's body can pass for a trace's."""
    spans = [s for g in request.resource_spans for scope in g.scope_spans for s in scope.spans]
    return bool(spans) and not any(len(span.trace_id) == IDS["traceId"] for span in spans)


def _guess(body: bytes) -> str:
    """Say what a body is that holds no spans."""
    if body[:1] in b"{[" and body:
        return f"The body is JSON, but Content-Type says {PROTOBUF}. Send Content-Type: {JSON}."
    if _holds_logs(body):
        return "The body holds logs, not spans. Send it to /v1/logs, or switch that exporter off."
    if _holds_metrics(body):
        return "The body holds metrics, not spans. Send it to /v1/metrics, or switch that off."
    return "The body is no ExportTraceServiceRequest. Export over OTLP/HTTP with an OTLP exporter."


def _holds_logs(body: bytes) -> bool:
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        return False
    records = (r for g in request.resource_logs for s in g.scope_logs for r in s.log_records)
    return any(r.time_unix_nano or r.observed_time_unix_nano for r in records)


def _holds_metrics(body: bytes) -> bool:
    try:
        request = ExportMetricsServiceRequest.FromString(body)
    except DecodeError:
        return False
    metrics = (m for g in request.resource_metrics for s in g.scope_metrics for m in s.metrics)
    return any(metric.WhichOneof("data") for metric in metrics)


def _from_json(body: bytes) -> Iterator[Read]:
    try:
        whole: object = from_json(body, allow_inf_nan=False)
    except ValueError as exc:
        raise InvalidEvent(
            f"The body is not JSON: {exc}. Protobuf needs Content-Type: {PROTOBUF}."
        ) from None
    if not isinstance(whole, dict):
        raise InvalidEvent("The body is no JSON object. Send an ExportTraceServiceRequest.")
    request = cast("JsonObject", whole)
    for key in ("resourceLogs", "resourceMetrics"):
        if key in request:
            signal = key.removeprefix("resource").lower()
            raise InvalidEvent(
                f"The body holds {signal}, not spans. Send it to /v1/{signal}, or switch that "
                "exporter off."
            )
    try:
        yield from _groups(request)
    except ParseError as exc:
        raise InvalidEvent(
            f"The body is no ExportTraceServiceRequest: {exc}. Export with an OTLP exporter."
        ) from None


def _groups(request: JsonObject) -> Iterator[Read]:
    for group in _objects(request, "resourceSpans"):
        stated = ParseDict(_object(group, "resource"), Resource(), ignore_unknown_fields=True)
        resource = _attributes(stated.attributes)
        for scope in _objects(group, "scopeSpans"):
            name = str(_object(scope, "scope").get("name", ""))
            for span in _objects(scope, "spans"):
                yield _json_span(span, resource, name)


def _objects(parent: JsonObject, key: str) -> Iterable[JsonObject]:
    """Return the list of objects under the key; absent is empty.

    Raises:
        ParseError: it is no list of objects.
    """
    found: object = parent.get(key) or []
    items = cast("list[object]", found) if isinstance(found, list) else [found]
    if all(isinstance(item, dict) for item in items):
        return cast("list[JsonObject]", items)
    raise ParseError(f"{key} is no array of objects")


def _object(parent: JsonObject, key: str) -> dict[str, Any]:
    """Return the object under the key; absent is empty.

    Raises:
        ParseError: it is no object.
    """
    found: object = parent.get(key) or {}
    if isinstance(found, dict):
        return cast("dict[str, Any]", found)
    raise ParseError(f"{key} is no object")


def _json_span(stated: JsonObject, resource: Attributes, scope: str) -> Read:
    try:
        wire = ParseDict(_with_ids(stated), WireSpan(), ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError) as exc:
        return f"{str(stated.get('name'))[:80]}: {str(exc)[:200]}"
    return _span(wire, resource, scope)


def _with_ids(stated: JsonObject) -> dict[str, object]:
    """Return the span with its ids in base64, and without links, which nothing here uses."""
    span = {name: value for name, value in stated.items() if name != "links"}
    for field in IDS:
        if text := span.get(field):
            try:
                span[field] = base64.b64encode(bytes.fromhex(str(text))).decode()
            except (ValueError, binascii.Error):
                raise ValueError(f"{field} is not hex digits") from None
    return span


def _span(wire: WireSpan, resource: Attributes, scope: str) -> Read:
    ids = (wire.trace_id, wire.span_id)
    if [len(value) for value in ids] != [16, 8] or not all(map(any, ids)):
        return f"{wire.name[:80]}: its trace id is not 16 bytes, or its span id not 8"
    exceptions = [_attributes(e.attributes) for e in wire.events if e.name == "exception"]
    last = exceptions[-1] if exceptions else {}
    return Span(
        trace_id=wire.trace_id.hex(),
        span_id=wire.span_id.hex(),
        parent_id=wire.parent_span_id.hex() if len(wire.parent_span_id) == 8 else "",
        name=wire.name,
        kind=KINDS.get(wire.kind, "other"),
        start_ns=wire.start_time_unix_nano,
        end_ns=wire.end_time_unix_nano,
        attributes=_attributes(wire.attributes),
        resource=resource,
        scope=scope,
        failed=wire.status.code == Status.STATUS_CODE_ERROR,
        message=wire.status.message or str(last.get("exception.message", "")),
        exception=str(last.get("exception.type", "")),
        trace_state=wire.trace_state[:MAX_CHARS],
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Scalar]:
    found = ((pair.key, _scalar(pair.value)) for pair in pairs)
    return {key: value for key, value in found if value is not None}


def _scalar(value: AnyValue) -> Scalar | None:
    plain = _plain(value)
    return json.dumps(plain) if isinstance(plain, list | dict) else cast("Scalar | None", plain)


def _plain(value: AnyValue) -> object:
    """Return the value as JSON has it; None for bytes and for numbers that JSON cannot write."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else None
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case _:
            return None
