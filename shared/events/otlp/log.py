"""Makes a span of a log record, so that an event which reports a call is read as a span is."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.events.otlp.span import Attributes, Scalar, Span, number_in, text_in

NS_PER_MS = 1_000_000
BAD_REQUEST = 400
"""The first status that says that a request came to nothing."""
_STATUSES = ("http.response.status_code", "status_code", "http.status_code")
_MESSAGES = ("error.message", "error", "exception.message")
_KINDS = ("error.type", "error_type", "exception.type")


@dataclass(frozen=True, slots=True)
class Log:
    """A log record as an exporter sent it.

    body: its text, "" where it is none. at_ns: since 1970. trace_id, span_id: of the span in which
    it was written, in hex; "" for both where it names none.
    """

    event_name: str
    body: str
    at_ns: int
    trace_id: str
    span_id: str
    attributes: Attributes
    resource: Attributes
    scope: str


def span_of(log: Log) -> Span:
    """Return the span that the record stands for: it lies in the span that the record names.

    Its id follows from what the record says, so that a record sent again is the same span. A record
    without a trace is alone in one.
    """
    name = name_of(log)
    digest = _digest(log, name)
    took_ms = number_in(log.attributes, "duration_ms")
    took_ns = round(took_ms * NS_PER_MS) if took_ms is not None and took_ms >= 0 else None
    error = _error(name, log.attributes)
    kind: Mapping[str, Scalar] = {"error.type": error} if error else {}
    return Span(
        trace_id=log.trace_id or digest,
        span_id=digest[:16],
        parent_id=log.span_id,
        name=name,
        start_ns=max(log.at_ns - took_ns, 0) if took_ns is not None else 0,
        end_ns=log.at_ns,
        attributes={**log.attributes, **kind},
        resource=log.resource,
        scope=log.scope,
        failed=error is not None,
        message=(text_in(log.attributes, *_MESSAGES) or "") if error else "",
        is_log=True,
    )


def name_of(log: Log) -> str:
    """Return the event's name: of its attribute, else of the record; the body may have it whole."""
    stated = text_in(log.attributes, "event.name") or log.event_name
    if not stated or log.body.endswith(f".{stated}"):
        return log.body[:256]
    return stated


def _error(name: str, attributes: Attributes) -> str | None:
    """Return the kind of error that a record reports: an HTTP status, or a name; None for none."""
    status = number_in(attributes, *_STATUSES)
    if status is not None and status >= BAD_REQUEST:
        return str(int(status))
    if kind := text_in(attributes, *_KINDS):
        return kind
    is_said = str(attributes.get("success", "")).lower() == "false" or name.endswith("error")
    return "error" if is_said or text_in(attributes, "error.message") else None


def _digest(log: Log, name: str) -> str:
    """Return 32 hex digits by which the record is known whenever it is sent."""
    said = [name, log.at_ns, log.trace_id, log.span_id, log.scope, log.body]
    whole = json.dumps([*said, sorted(log.attributes.items()), sorted(log.resource.items())])
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
