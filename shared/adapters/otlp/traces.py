"""Reads OTLP trace requests into spans."""

from collections.abc import Iterator, Mapping

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from shared.adapters.otlp.values import attributes_of
from shared.adapters.otlp.wire import Place, Places, Signal, holds_traces, parts
from shared.events.otlp.media import Media
from shared.events.otlp.span import MAX_CHARS, Attributes, Kind, Span

KINDS: Mapping[int, Kind] = {
    WireSpan.SPAN_KIND_UNSPECIFIED: "internal",
    WireSpan.SPAN_KIND_INTERNAL: "internal",
    WireSpan.SPAN_KIND_CLIENT: "client",
}


def read_traces(body: bytes, media: Media) -> list[Span | str]:
    """Return the spans of an unpacked request; a text is why one is none.

    Raises:
        InvalidEvent: nothing can be made of the body as a whole; says what it seems to be.
    """
    found = parts(body, media, TRACES)
    return [one if isinstance(one, str) else _span(*one) for one in found]


def _spans(body: bytes) -> Iterator[tuple[WireSpan, Place]]:
    places = Places()
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in group.scope_spans:
            place = places.of(group.resource, scope.scope.name)
            yield from ((span, place) for span in scope.spans)


TRACES = Signal(
    "traces",
    "ExportTraceServiceRequest",
    "resourceSpans",
    "scopeSpans",
    "spans",
    read=_spans,
    item=WireSpan,
    holds=holds_traces,
)


def _span(wire: WireSpan, place: Place) -> Span | str:
    trace_id, span_id = wire.trace_id, wire.span_id
    if (len(trace_id), len(span_id)) != (16, 8) or not (any(trace_id) and any(span_id)):
        return f"{wire.name[:80]}: its trace id is not 16 bytes, or its span id not 8"
    last = _exception(wire)
    status, parent_id = wire.status, wire.parent_span_id
    resource, scope = place
    return Span(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_id=parent_id.hex() if len(parent_id) == 8 else "",
        name=wire.name,
        kind=KINDS.get(wire.kind, "other"),
        start_ns=wire.start_time_unix_nano,
        end_ns=wire.end_time_unix_nano,
        attributes=attributes_of(wire.attributes),
        resource=resource,
        scope=scope,
        failed=status.code == Status.STATUS_CODE_ERROR,
        message=status.message or str(last.get("exception.message", "")),
        exception=str(last.get("exception.type", "")),
        trace_state=wire.trace_state[:MAX_CHARS],
    )


def _exception(wire: WireSpan) -> Attributes:
    """Return what the last exception that was recorded says."""
    for event in reversed(wire.events):
        if event.name == "exception":
            return attributes_of(event.attributes)
    return {}
