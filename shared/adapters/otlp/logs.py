"""Reads OTLP log requests: each record as the span that it stands for."""

from collections.abc import Iterator

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from shared.adapters.otlp.values import attributes_of, scalar_of
from shared.adapters.otlp.wire import Place, Places, Signal, holds_logs, parts
from shared.events.otlp.log import Log, span_of
from shared.events.otlp.media import Media
from shared.events.otlp.span import Span


def read_logs(body: bytes, media: Media) -> list[Span | str]:
    """Return the log records of an unpacked request; a text is why one is none.

    Raises:
        InvalidEvent: nothing can be made of the body as a whole; says what it seems to be.
    """
    found = parts(body, media, LOGS)
    return [one if isinstance(one, str) else span_of(_log(*one)) for one in found]


def _records(body: bytes) -> Iterator[tuple[LogRecord, Place]]:
    places = Places()
    for group in ExportLogsServiceRequest.FromString(body).resource_logs:
        for scope in group.scope_logs:
            place = places.of(group.resource, scope.scope.name)
            yield from ((record, place) for record in scope.log_records)


LOGS = Signal(
    "logs",
    "ExportLogsServiceRequest",
    "resourceLogs",
    "scopeLogs",
    "logRecords",
    read=_records,
    item=LogRecord,
    holds=holds_logs,
)


def _log(wire: LogRecord, place: Place) -> Log:
    resource, scope = place
    text = scalar_of(wire.body)
    in_trace = len(wire.trace_id) == 16 and any(wire.trace_id)
    in_span = in_trace and len(wire.span_id) == 8 and any(wire.span_id)
    return Log(
        event_name=wire.event_name,
        body=text if isinstance(text, str) else "",
        at_ns=wire.time_unix_nano or wire.observed_time_unix_nano,
        trace_id=wire.trace_id.hex() if in_span else "",
        span_id=wire.span_id.hex() if in_span else "",
        attributes=attributes_of(wire.attributes),
        resource=resource,
        scope=scope,
    )
