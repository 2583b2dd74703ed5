"""Spans as exporters send them, read and on the wire."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from shared.events.otlp.read_spans import EPOCH, read_spans
from shared.events.otlp.span import Kind, Scalar, Span
from shared.events.types import AnyEvent
from tests.fakes import START

TRACE = "0af7651916cd43dd8448eb211c80319c"
CHAT: Mapping[str, Scalar] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
}
AGENT: Mapping[str, Scalar] = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "planner",
    "gen_ai.agent.id": "asst_1",
}
TOOL: Mapping[str, Scalar] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "search",
    "gen_ai.tool.call.arguments": "the words of a prompt",
}
BARE: dict[str, Scalar] = {name: CHAT[name] for name in CHAT if "usage" not in name}
SERVICE: Mapping[str, Scalar] = {"service.name": "checkout"}
KINDS: Mapping[Kind, WireSpan.SpanKind.ValueType] = {
    "internal": WireSpan.SPAN_KIND_INTERNAL,
    "client": WireSpan.SPAN_KIND_CLIENT,
    "other": WireSpan.SPAN_KIND_SERVER,
}


def unix_ns(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def span(
    attributes: Mapping[str, Scalar],
    number: int = 1,
    parent: int = 0,
    *,
    name: str = "chat gpt-4o",
    resource: Mapping[str, Scalar] = SERVICE,
    scope: str = "tests",
    kind: Kind = "client",
    failed: bool = False,
    message: str = "",
) -> Span:
    """Return a span of one trace that took 1.5 s; parent 0 is none."""
    end_ns = unix_ns(START)
    return Span(
        trace_id=TRACE,
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=name,
        kind=kind,
        start_ns=end_ns - 1_500_000_000,
        end_ns=end_ns,
        attributes=dict(attributes),
        resource=dict(resource),
        scope=scope,
        failed=failed,
        message=message,
    )


def wire(spans: Sequence[Span]) -> ExportTraceServiceRequest:
    """Return the request that an exporter makes of the spans."""
    request = ExportTraceServiceRequest()
    for one in spans:
        group = request.resource_spans.add()
        group.resource.attributes.extend(pairs(one.resource))
        scope = group.scope_spans.add()
        scope.scope.name = one.scope
        scope.spans.append(_wire_span(one))
    return request


def _wire_span(one: Span) -> WireSpan:
    made = WireSpan(
        trace_id=bytes.fromhex(one.trace_id),
        span_id=bytes.fromhex(one.span_id),
        parent_span_id=bytes.fromhex(one.parent_id),
        name=one.name,
        kind=KINDS[one.kind],
        start_time_unix_nano=one.start_ns,
        end_time_unix_nano=one.end_ns,
        attributes=pairs(one.attributes),
    )
    if one.failed:
        made.status.code = Status.STATUS_CODE_ERROR
        made.status.message = one.message
    return made


def pairs(attributes: Mapping[str, Scalar]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in attributes.items()]


def _value(value: Scalar) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    return (
        AnyValue(double_value=value) if isinstance(value, float) else AnyValue(string_value=value)
    )


def events(*spans: Span) -> list[AnyEvent]:
    reading = read_spans(spans, START, 0)
    assert reading.refused == ()
    return [event for parcel in reading.parcels for event in parcel.events]


def kinds(*spans: Span) -> list[tuple[str, str]]:
    """Return type and the last digit of the span of each event."""
    return [(event.type, event.id.split(":")[1][-1]) for event in events(*spans)]
