"""What one span says, read once: its role, its owner, and the model call that it reports."""

import hashlib
import re
from dataclasses import dataclass

from shared.events.otlp.hosts import seller_at
from shared.events.otlp.owner import Owner, service_of, stated_by, stated_by_service
from shared.events.otlp.reader import Reader, Said, reader_of, stated_in
from shared.events.otlp.role import EMBEDDINGS, Role, operation_of, role_of
from shared.events.otlp.span import Attributes, Span
from shared.events.otlp.usage import MOST_USD, cost_in_json, usage_of
from shared.events.providers import without_api
from shared.events.reconcile import Counts

SOURCE = "opentelemetry"
SOURCE_CHARS = 256
REMOTE_AGENTS = frozenset({"az.ai.agents", "azure.ai.agents", "microsoft.foundry"})
"""Agents that run at the provider: their model calls are seen by no other instrumentation."""
_NAMED_AGENT = frozenset({"invoke_agent", "create_agent"})
Service = tuple[str, Owner]
"""The source of its events, and the owner where no span says any."""
Services = dict[tuple[int, str], Service]
"""By the place in memory of a resource, which the spans of a request share, and the dialect."""
_LEFT = re.compile(
    r"(?i)(?P<timeout>time[ds]?[ -]?out|deadline exceeded)|(?P<cancelled>abort|cancel|disconnected)"
)
"""What a failure's text says of a call that its caller left."""
_VAGUE = frozenset({"error", "_other", "unknown", "exception"})
NS_PER_S = 1e9
MAX_S = 1e9


@dataclass(frozen=True, slots=True)
class Call:
    """What a span reports of a model call. doubts, notes: as shared.events.reconcile has them."""

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
    stands_alone: an agent that reports its own calls.
    superseded: a second span of its instrumentation reports the same call.
    is_log: a log record reports it, in the span parent_id; where that is "", it names no trace.
    meeting: where logs and spans that do not name each other are looked for, "" for nowhere.
    tool_call: the id by which the model asked for it.
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
    is_log: bool = False
    meeting: str = ""
    tool_call: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Name the span among others."""
        return self.trace_id, self.span_id

    @property
    def parent_key(self) -> tuple[str, str]:
        """Name the span above it."""
        return self.trace_id, self.parent_id

    @property
    def begin_ns(self) -> int:
        """Return when it began; when it ended, where only that is known."""
        return self.start_ns or self.end_ns

    @property
    def is_unlinked(self) -> bool:
        """Return whether it names no trace."""
        return self.is_log and not self.parent_id

    @property
    def places(self) -> list[str]:
        """Return where what hangs together with it is remembered: its trace, and its meeting."""
        return [*([] if self.is_unlinked else [self.trace_id]), *filter(None, [self.meeting])]

    @property
    def is_counted(self) -> bool:
        """Return whether it knows what was used."""
        return self.call is not None and self.call.usage is not None

    @property
    def is_embedding(self) -> bool:
        """Return whether it is a call that makes vectors."""
        return self.operation == EMBEDDINGS


def record_of(span: Span, services: Services | None = None) -> Record:
    """Return what the span says. services: of the request, filled as they are met."""
    reader = reader_of(span)
    said = reader.read(span.attributes)
    source, service = _service(span.resource, reader, services)
    operation = operation_of(span, said)
    role = role_of(span, said, operation)
    call = _call(span, said, operation) if role in ("model", "agent") else None
    error = _error(span, said, is_call=role == "model")
    return Record(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        scope=span.scope,
        source=source,
        role=role,
        operation=operation,
        error=error,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        duration_s=_duration_s(span),
        own=stated_by(span, said, is_agent=operation in _NAMED_AGENT),
        service=service,
        call=call,
        tool=said.text("tool") if role == "tool" else None,
        tool_call=said.text("tool_call") if role == "tool" else None,
        is_log=span.is_log,
        meeting=_meeting(span, call, error) if said.dialect.meets else "",
        is_inner=span.kind != "client",
        stands_alone=role == "agent" and _stands_alone(said, operation, error, call),
        remote=role == "agent" and _is_remote(span, operation),
        superseded=error is None and call is not None and _ends_later(span, call),
    )


def _service(resource: Attributes, reader: Reader, services: Services | None) -> Service:
    """Return what the resource says, read once for all its spans of a dialect."""
    known = {} if services is None else services
    key = id(resource), reader.dialect.name
    if key not in known:
        source = (service_of(resource) or SOURCE)[:SOURCE_CHARS]
        known[key] = source, stated_by_service(resource, reader.read(resource))
    return known[key]


def _call(span: Span, said: Said, operation: str) -> Call:
    """Return what the span reports of a model call."""
    # OpenInference names the model of a failed call among the parameters only.
    model = said.text("model") or stated_in(span, "llm.invocation_parameters", "model")
    response_model = said.text("response_model")
    provider = seller_at(said.text("address") or "") or _provider(said)
    makes_output = operation != EMBEDDINGS
    maker = _maker(provider, response_model, model)
    used = usage_of(span, said, provider or "", maker, makes_output)
    cost = said.number("cost_usd") or cost_in_json(span, said)
    return Call(
        provider=provider or "unknown",
        model=model,
        response_model=response_model,
        response_id=_response_id(span, said),
        service_tier=said.text("service_tier"),
        deployment=span.text("gen_ai.request.model") if provider == "azure" else None,
        usage=used.counts,
        doubts=used.doubts,
        notes=used.notes,
        cost_usd=str(cost) if 0 < cost <= MOST_USD else None,
    )


def _provider(said: Said) -> str | None:
    stated = said.text("provider") or said.dialect.provider
    return without_api(said.dialect.sellers.get(stated, stated)) or None


def _meeting(span: Span, call: Call | None, error: str | None) -> str:
    """Return where a call of that size, or failed one of that model, of that service, is sought."""
    if call is None or not (call.usage or error):
        return ""
    used = call.usage or {}
    size = (used.get("input_tokens", 0), used.get("output_tokens", 0)) if used else (call.model,)
    return hashlib.sha256(f"{service_of(span.resource)} {size}".encode()).hexdigest()[:32]


def _stands_alone(said: Said, operation: str, error: str | None, call: Call | None) -> bool:
    """Return whether an agent's span is the record of its calls where no other span tells them."""
    if operation != "invoke_agent" or call is None:
        return False
    failed = said.dialect.agents_call and error is not None and call.model is not None
    return call.usage is not None or failed


def _maker(provider: str | None, *models: str | None) -> str:
    """Return the names that identify the model's family: an alias alone does not."""
    named = " ".join(model for model in models if model)
    alone = named and provider and "anthropic" in provider.lower()
    return f"{provider} {named}" if alone else named


def _response_id(span: Span, said: Said) -> str | None:
    """Return the provider's id of its answer; OpenInference has it inside the answer alone."""
    return said.text("response_id") or stated_in(span, "output.value", "id")


def _error(span: Span, said: Said, *, is_call: bool) -> str | None:
    """Return what kind of error the span ended with; None where it went well.

    is_call: its text may say that a caller left, which decides what is billed.
    """
    stated = said.text("error")
    if stated is None and not span.failed:
        return None
    if span.failed and stated is None:
        stated = said.text("failure")
    stated = stated or span.exception or "error"
    left = _LEFT.search(span.message) if is_call and stated.lower() in _VAGUE else None
    return (left.lastgroup or stated) if left else stated


def _duration_s(span: Span) -> float | None:
    """Return how long it took; None where the sender did not say, or its clock went back."""
    taken_ns = span.end_ns - span.start_ns
    if span.text("logfire.span_type") == "log":
        return span.number("duration")
    return min(taken_ns / NS_PER_S, MAX_S) if span.start_ns and taken_ns >= 0 else None


def _ends_later(span: Span, call: Call) -> bool:
    """Return whether a second span tells of the same call: Logfire ends a stream with one.

    The first, which ends when the stream begins, has neither usage nor a response id.
    """
    is_first = span.text("logfire.span_type") == "span"
    return is_first and call.usage is None and span.text("gen_ai.response.id") is None


def _is_remote(span: Span, operation: str) -> bool:
    """Return whether the span of an agent is the only record of the model calls made for it."""
    provider = span.text("gen_ai.provider.name", "gen_ai.system")
    return span.kind == "client" and operation == "invoke_agent" and provider in REMOTE_AGENTS
