"""Reads a model call from a span: who was asked for what, and what it used."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.events.otlp.names import (
    FOREIGN_COST,
    MODEL,
    SERVICE_TIER,
    error_type,
    operation_of,
    provider_of,
    response_id_of,
)
from shared.events.otlp.span import Span
from shared.events.otlp.usage import Counts, usage_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_NS = 253_402_300_799 * 10**9
"""The last second that a datetime holds."""
NS_PER_S = 1e9
MAX_S = 1e9
REMOTE_AGENTS = frozenset({"az.ai.agents", "azure.ai.agents", "microsoft.foundry"})
"""Agents that run at the provider: their model calls are seen by nobody else."""


@dataclass(frozen=True, slots=True)
class Call:
    """A model call as a span tells it. data: of an llm.call. mended: what was put right."""

    data: dict[str, object]
    usage: Counts | None
    mended: tuple[str, ...]


def call_of(span: Span) -> Call:
    """Return what the span says of a model call."""
    usage, mended = usage_of(span)
    provider, model = provider_of(span), _model(span)
    cost = span.number(*FOREIGN_COST) or 0
    data: dict[str, object] = {
        "provider": provider,
        "model": model or "unknown",
        "response_model": span.text("gen_ai.response.model"),
        "deployment": span.text("gen_ai.request.model") if provider == "azure" else None,
        "response_id": response_id_of(span),
        "service_tier": span.text(*SERVICE_TIER),
        "operation": operation_of(span) or None,
        "status": status_of(span),
        "error_type": error_type(span),
        "duration_s": duration_s(span),
        "usage": usage,
        "cost_usd": str(cost) if cost > 0 else None,
    }
    return Call(data, usage, mended)


def status_of(span: Span) -> str:
    """Return how the span ended."""
    return "success" if error_type(span) is None else "error"


def duration_s(span: Span) -> float | None:
    """Return how long it took; None where the sender did not say, or its clock went back."""
    taken_ns = span.end_ns - span.start_ns
    if _is_log(span):
        return span.number("duration")
    return min(taken_ns / NS_PER_S, MAX_S) if span.start_ns and taken_ns >= 0 else None


def told_by_a_log(span: Span) -> bool:
    """Tell whether a second span tells of the same call: Logfire ends a stream with one.

    The first, which ends when the stream begins, has neither usage nor a response id.
    """
    return (
        span.text("logfire.span_type") == "span"
        and span.text("gen_ai.response.id") is None
        and not span.failed
        and usage_of(span)[0] is None
    )


def is_remote_agent(span: Span) -> bool:
    """Tell whether the span of an agent is the only record of the model calls made for it."""
    return (
        span.kind == "client"
        and operation_of(span) == "invoke_agent"
        and provider_named(span) in REMOTE_AGENTS
        and usage_of(span)[0] is not None
    )


def provider_named(span: Span) -> str | None:
    """Return the provider as the instrumentation calls it."""
    return span.text("gen_ai.provider.name", "gen_ai.system")


def _model(span: Span) -> str | None:
    """Return the model; OpenInference names that of a failed call among the parameters only."""
    return span.text(*MODEL) or span.stated("llm.invocation_parameters", "model")


def _is_log(span: Span) -> bool:
    return span.text("logfire.span_type") == "log"
