"""The span that OpenTelemetry is in, where the agent uses OpenTelemetry."""

from __future__ import annotations

import sys


def traceparent() -> str | None:
    """Return the current span as a W3C traceparent, None where there is none.

    A program that never imported OpenTelemetry has no span: nothing is imported to find out.
    """
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    try:
        span = trace.get_current_span().get_span_context()
        if not span.is_valid:
            return None
        return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
    except (AttributeError, TypeError, ValueError):  # half imported, or an older interface
        return None
