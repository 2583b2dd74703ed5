"""Writes answers to OTLP exporters, in the encoding of their request."""

import json
from collections.abc import Mapping
from typing import Literal

from shared.events.otlp.media import JSON, Media

Name = Literal["traces", "logs", "metrics"]

INVALID_ARGUMENT = 3
CODES = {429: 8, 503: 14}
"""Of google.rpc.Status, by HTTP's: resource exhausted, unavailable."""
REJECTED: Mapping[Name, str] = {
    "traces": "rejectedSpans",
    "metrics": "rejectedDataPoints",
    "logs": "rejectedLogRecords",
}


def code_of(status: int) -> int:
    """Return the code of google.rpc.Status that goes with the HTTP status of a refusal."""
    return CODES.get(status, INVALID_ARGUMENT)


def success(media: Media, signal: Name, rejected: int, message: str) -> bytes:
    """Return an Export…ServiceResponse; without rejections and message, an empty one.

    signal: traces, metrics or logs; their messages differ in JSON alone.
    """
    if not rejected and not message:
        return b"{}" if media == JSON else b""
    if media == JSON:
        partial = {REJECTED[signal]: str(rejected), "errorMessage": message}
        return json.dumps({"partialSuccess": partial}).encode()
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTracePartialSuccess,
        ExportTraceServiceResponse,
    )

    partial_success = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    return ExportTraceServiceResponse(partial_success=partial_success).SerializeToString()


def refused(media: Media, code: int, message: str) -> bytes:
    """Return a google.rpc.Status."""
    if media == JSON:
        return json.dumps({"code": code, "message": message}).encode()
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess

    # Status is no part of our packages; this message has the same fields under the same numbers.
    return ExportTracePartialSuccess(rejected_spans=code, error_message=message).SerializeToString()
