"""Takes an OTLP request of any signal apart, protobuf or JSON."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from pydantic_core import from_json

from shared.adapters.otlp.values import JsonObject, attributes_of, object_under, objects
from shared.errors import InvalidEvent
from shared.events.otlp.media import JSON, PROTOBUF, Media
from shared.events.otlp.span import Attributes

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
"""Field → bytes; JSON writes them in hex, where protobuf's own JSON would have base64."""
_IN_JSON = {"resourceSpans": "traces", "resourceLogs": "logs", "resourceMetrics": "metrics"}
_HELD = {"traces": "spans", "logs": "logs", "metrics": "metrics"}

T = TypeVar("T", bound=Message)
Place = tuple[Attributes, str]
"""The resource of an item, and its scope's name."""


@dataclass(frozen=True, slots=True)
class Signal(Generic[T]):
    """A signal of OTLP.

    name: traces, logs or metrics. request: its message's name.
    groups, scopes, items: its keys in JSON, from the outside in.
    read: takes a protobuf body apart; raises DecodeError. item: makes an empty one.
    holds: whether a protobuf body is of this signal.
    """

    name: str
    request: str
    groups: str
    scopes: str
    items: str
    read: Callable[[bytes], Iterator[tuple[T, Place]]]
    item: Callable[[], T]
    holds: Callable[[bytes], bool]


def parts(body: bytes, media: Media, signal: Signal[T]) -> Iterator[tuple[T, Place] | str]:
    """Yield each item of an unpacked request with its place; a text is why one is none.

    Raises:
        InvalidEvent: nothing can be made of the body as a whole; says what it seems to be.
    """
    return _from_json(body, signal) if media == JSON else _from_protobuf(body, signal)


class Places:
    """Where the items of a request stand; equal resources are read once, and are one object."""

    def __init__(self) -> None:
        self._read: dict[bytes, Attributes] = {}

    def of(self, resource: Resource, scope: str) -> Place:
        """Return where items stand."""
        whole = resource.SerializeToString()
        if whole not in self._read:
            self._read[whole] = attributes_of(resource.attributes)
        return self._read[whole], scope


def _from_protobuf(body: bytes, signal: Signal[T]) -> Iterator[tuple[T, Place]]:
    try:
        found = list(signal.read(body))
    except DecodeError:
        raise InvalidEvent(_guess(body, signal)) from None
    if found and not signal.holds(body):
        raise InvalidEvent(_guess(body, signal))
    yield from found


def _other(body: bytes, signal: Signal[T]) -> str:
    """Return the signal that a protobuf body is of, if it is of another one."""
    return next((n for n, holds in HOLDS.items() if n != signal.name and holds(body)), "")


def _guess(body: bytes, signal: Signal[T]) -> str:
    """Say what a body is that holds no such items."""
    if body[:1] in b"{[" and body:
        return f"The body is JSON, but Content-Type says {PROTOBUF}. Send Content-Type: {JSON}."
    if other := _other(body, signal):
        return _elsewhere(other, signal)
    return f"The body is no {signal.request}. Export over OTLP/HTTP with an OTLP exporter."


def _elsewhere(other: str, signal: Signal[T]) -> str:
    held = _HELD[signal.name]
    return (
        f"The body holds {_HELD[other]}, not {held}. Send it to /v1/{other}, or switch that "
        "exporter off."
    )


def holds_traces(body: bytes) -> bool:
    """Return whether a protobuf body holds spans: another signal's body can pass for a trace's."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return False
    spans = (s for g in request.resource_spans for scope in g.scope_spans for s in scope.spans)
    return any(len(span.trace_id) == IDS["traceId"] for span in spans)


def holds_logs(body: bytes) -> bool:
    """Return whether a protobuf body holds log records."""
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError:
        return False
    records = (r for g in request.resource_logs for s in g.scope_logs for r in s.log_records)
    return any(r.time_unix_nano or r.observed_time_unix_nano or r.attributes for r in records)


def holds_metrics(body: bytes) -> bool:
    """Return whether a protobuf body holds metrics."""
    try:
        request = ExportMetricsServiceRequest.FromString(body)
    except DecodeError:
        return False
    metrics = (m for g in request.resource_metrics for s in g.scope_metrics for m in s.metrics)
    return any(metric.WhichOneof("data") for metric in metrics)


HOLDS: Mapping[str, Callable[[bytes], bool]] = {
    "traces": holds_traces,
    "metrics": holds_metrics,
    "logs": holds_logs,
}


def _from_json(body: bytes, signal: Signal[T]) -> Iterator[tuple[T, Place] | str]:
    try:
        whole: object = from_json(body, allow_inf_nan=False)
    except ValueError as exc:
        raise InvalidEvent(
            f"The body is not JSON: {exc}. Protobuf needs Content-Type: {PROTOBUF}."
        ) from None
    if not isinstance(whole, dict):
        raise InvalidEvent(f"The body is no JSON object. Send an {signal.request}.")
    request = cast("JsonObject", whole)
    for key, other in _IN_JSON.items():
        if key in request and other != signal.name:
            raise InvalidEvent(_elsewhere(other, signal))
    try:
        yield from _json_items(request, signal)
    except ParseError as exc:
        raise InvalidEvent(
            f"The body is no {signal.request}: {exc}. Export with an OTLP exporter."
        ) from None


def _json_items(request: JsonObject, signal: Signal[T]) -> Iterator[tuple[T, Place] | str]:
    places = Places()
    for group in objects(request, signal.groups):
        resource = ParseDict(
            object_under(group, "resource"), Resource(), ignore_unknown_fields=True
        )
        for scope in objects(group, signal.scopes):
            place = places.of(resource, str(object_under(scope, "scope").get("name", "")))
            for stated in objects(scope, signal.items):
                item = _json_item(stated, signal)
                yield item if isinstance(item, str) else (item, place)


def _json_item(stated: JsonObject, signal: Signal[T]) -> T | str:
    try:
        return ParseDict(_with_ids(stated), signal.item(), ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError) as exc:
        name = stated.get("name") or stated.get("eventName") or "unnamed"
        return f"{str(name)[:80]}: {str(exc)[:200]}"


def _with_ids(stated: JsonObject) -> dict[str, Any]:
    """Return the item with its ids in base64, and without links, which nothing here uses."""
    item = {name: value for name, value in stated.items() if name != "links"}
    for field in IDS:
        if text := item.get(field):
            try:
                item[field] = base64.b64encode(bytes.fromhex(str(text))).decode()
            except (ValueError, binascii.Error):
                raise ValueError(f"{field} is not hex digits") from None
    return item
