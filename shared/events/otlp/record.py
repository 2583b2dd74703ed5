"""What one span says, read once: its role, its owner, and the model call that it tells of."""

from dataclasses import dataclass
from typing import Literal

from shared.events.otlp.common_dialects import OPENINFERENCE, OPENLLMETRY
from shared.events.otlp.hosts import seller_at
from shared.events.otlp.owner import Owner, service_of, stated_by, stated_by_service
from shared.events.otlp.reader import Reader, reader_of, stated_in
from shared.events.otlp.span import Span
from shared.events.otlp.usage import counts_tokens, usage_of
from shared.events.reconcile import Counts

Role = Literal["model", "agent", "tool", "other", ""]
"""What a span is about; `other` belongs to a model's work and is no event, "" is none of ours."""
SOURCE = "opentelemetry"
SOURCE_CHARS = 256
EMBEDDINGS = "embeddings"
REMOTE_AGENTS = frozenset({"az.ai.agents", "azure.ai.agents", "microsoft.foundry"})
"""Agents that run at the provider: their model calls are seen by no other instrumentation."""
_LLM_REQUEST = {"completion": "text_completion", "embedding": EMBEDDINGS}
_MODEL = frozenset({"chat", "text_completion", "generate_content", EMBEDDINGS})
_AGENT = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "plan"})
_NAMED_AGENT = frozenset({"invoke_agent", "create_agent"})
_TOOL = frozenset({"execute_tool", "retrieval"})
_NOT_COUNTED = frozenset({"fetch_response", "unknown", "chain", "task", "repeat"})
"""What repeats the tokens of a call that another span reports, or is none."""
_PREFIXES = ("gen_ai.", "llm.", "openinference.", "traceloop.", "ai.", "langfuse.observation.")
NS_PER_S = 1e9
MAX_S = 1e9


@dataclass(frozen=True, slots=True)
class Call:
    """What a span tells of a model call. doubts, notes: as shared.events.reconcile has them."""

    provider: str
    model: str | None
    response_model: str | None
    response_id: str | None
    service_tier: str | None
    deployment: str | None
    usage: Counts | None
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    cost_usd: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """What a span says.

    operation: in the words of the newest conventions. error: what kind it ended with, None where
    it went well. own, service: what it, and its resource, say of its owner. remote: the agent runs
    at its provider. is_inner: it called no other service, so that spans may lie below it.
    stands_alone: an agent that tells its own calls.
    superseded: a second span of its instrumentation tells of the same call.
    """

    trace_id: str
    span_id: str
    parent_id: str
    scope: str
    source: str
    role: Role
    operation: str
    error: str | None
    start_ns: int
    end_ns: int
    duration_s: float | None
    own: Owner
    service: Owner
    call: Call | None
    tool: str | None = None
    remote: bool = False
    is_inner: bool = False
    stands_alone: bool = False
    superseded: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Name the span among others."""
        return self.trace_id, self.span_id

    @property
    def is_counted(self) -> bool:
        """Tell whether it knows what was used."""
        return self.call is not None and self.call.usage is not None

    @property
    def is_embedding(self) -> bool:
        """Tell whether it is a call that makes vectors."""
        return self.operation == EMBEDDINGS


def record_of(span: Span) -> Record:
    """Return what the span says."""
    reader = reader_of(span)
    operation = _operation(span, reader)
    role = _role(span, reader, operation)
    call = _call(span, reader, operation) if role in ("model", "agent") else None
    error = _error(span, reader)
    return Record(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        scope=span.scope,
        source=(service_of(span) or SOURCE)[:SOURCE_CHARS],
        role=role,
        operation=operation,
        error=error,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        duration_s=_duration_s(span),
        own=stated_by(span, reader, is_agent=operation in _NAMED_AGENT),
        service=stated_by_service(span, reader),
        call=call,
        tool=reader.text(span.attributes, "tool") if role == "tool" else None,
        is_inner=span.kind != "client",
        stands_alone=role == "agent" and _stands_alone(reader, operation, error, call),
        remote=role == "agent" and _is_remote(span, operation),
        superseded=error is None and call is not None and _ends_later(span, call),
    )


def _operation(span: Span, reader: Reader) -> str:
    """Return what the span did; "" where it is not said."""
    dialect = reader.dialect
    if dialect.repeats and not counts_tokens(span, reader) and dialect.repeated(span.name):
        return "repeat"
    if (reader.text(span.attributes, "cache_hit") or "").lower() == "true":
        return "repeat"
    subject = span.text(dialect.operation_in) if dialect.operation_in else span.name
    if subject and (found := dialect.operation(subject)):
        return found
    return reader.text(span.attributes, "operation") or _older_operation(span)


def _older_operation(span: Span) -> str:
    """Return what the conventions before gen_ai.operation.name say."""
    for dialect in (OPENINFERENCE, OPENLLMETRY):
        if (kind := span.text(dialect.operation_in)) and (found := dialect.operation(kind)):
            return found
    if kind := span.text("llm.request.type"):
        return _LLM_REQUEST.get(kind, kind)
    return "execute_tool" if span.text("gen_ai.tool.name") else ""


def _role(span: Span, reader: Reader, operation: str) -> Role:
    if operation in _MODEL:
        return "model"
    if operation in _AGENT:
        return "agent"
    if operation in _TOOL or operation.endswith(("_memory", "_memory_store")):
        return "tool"
    if operation not in _NOT_COUNTED and counts_tokens(span, reader):
        return "model"
    named = operation or any(name.startswith(_PREFIXES) for name in span.attributes)
    return "other" if named else ""


def _call(span: Span, reader: Reader, operation: str) -> Call:
    """Return what the span tells of a model call."""
    said = span.attributes
    # OpenInference names the model of a failed call among the parameters only.
    model = reader.text(said, "model") or stated_in(span, "llm.invocation_parameters", "model")
    response_model = reader.text(said, "response_model")
    provider = seller_at(reader.text(said, "address") or "") or reader.text(said, "provider")
    makes_output = operation != EMBEDDINGS
    used = usage_of(span, reader, _maker(provider, response_model, model), makes_output)
    cost = span.number(*reader.names["cost_usd"]) or 0
    return Call(
        provider=provider or "unknown",
        model=model,
        response_model=response_model,
        response_id=_response_id(span, reader),
        service_tier=reader.text(said, "service_tier"),
        deployment=span.text("gen_ai.request.model") if provider == "azure" else None,
        usage=used.counts,
        doubts=used.doubts,
        notes=used.notes,
        cost_usd=str(cost) if cost > 0 else None,
    )


def _stands_alone(reader: Reader, operation: str, error: str | None, call: Call | None) -> bool:
    """Tell whether an agent's span is the record of its calls where no other span tells them."""
    if operation != "invoke_agent" or call is None:
        return False
    failed = reader.dialect.agents_call and error is not None and call.model is not None
    return call.usage is not None or failed


def _maker(provider: str | None, *models: str | None) -> str:
    """Return the names by which the model's family is known: an alias alone does not tell it."""
    named = " ".join(model for model in models if model)
    alone = named and provider and "anthropic" in provider.lower()
    return f"{provider} {named}" if alone else named


def _response_id(span: Span, reader: Reader) -> str | None:
    """Return the provider's id of its answer; OpenInference has it inside the answer alone."""
    return reader.text(span.attributes, "response_id") or stated_in(span, "output.value", "id")


def _error(span: Span, reader: Reader) -> str | None:
    """Return what kind of error the span ended with; None where it went well."""
    stated = reader.text(span.attributes, "error")
    if stated is None and not span.failed:
        return None
    return stated or span.exception or "error"


def _duration_s(span: Span) -> float | None:
    """Return how long it took; None where the sender did not say, or its clock went back."""
    taken_ns = span.end_ns - span.start_ns
    if _is_log(span):
        return span.number("duration")
    return min(taken_ns / NS_PER_S, MAX_S) if span.start_ns and taken_ns >= 0 else None


def _is_log(span: Span) -> bool:
    return span.text("logfire.span_type") == "log"


def _ends_later(span: Span, call: Call) -> bool:
    """Tell whether a second span tells of the same call: Logfire ends a stream with one.

    The first, which ends when the stream begins, has neither usage nor a response id.
    """
    is_first = span.text("logfire.span_type") == "span"
    return is_first and call.usage is None and span.text("gen_ai.response.id") is None


def _is_remote(span: Span, operation: str) -> bool:
    """Tell whether the span of an agent is the only record of the model calls made for it."""
    provider = span.text("gen_ai.provider.name", "gen_ai.system")
    return span.kind == "client" and operation == "invoke_agent" and provider in REMOTE_AGENTS
