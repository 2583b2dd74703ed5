"""What instrumentations call things: attribute names, operations, hosts; the first present wins."""

from collections.abc import Mapping
from typing import Literal

from shared.events.otlp.span import Span, text_in
from shared.units import UNITS

Role = Literal["model", "agent", "tool", "other"]
"""What a span is about; `other` belongs to a model's work, and is no event."""

_OPENINFERENCE: Mapping[str, str] = {
    "LLM": "chat",
    "EMBEDDING": "embeddings",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "RETRIEVER": "retrieval",
}
_LLM_REQUEST: Mapping[str, str] = {"completion": "text_completion", "embedding": "embeddings"}
_TRACELOOP: Mapping[str, str] = {
    "agent": "invoke_agent",
    "tool": "execute_tool",
    "workflow": "invoke_workflow",
}
_MODEL = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
_AGENT = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "plan"})
_TOOL = frozenset({"execute_tool", "retrieval"})
_NOT_COUNTED = frozenset({"fetch_response", "unknown", "chain", "task"})
"""What repeats the tokens of a call that another span reports, or is none."""
_PREFIXES = ("gen_ai.", "llm.", "openinference.", "traceloop.")

MODEL = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "embedding.model_name")
SERVICE_TIER = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "anthropic.response.service_tier",
)
FOREIGN_COST = ("operation.cost", "gen_ai.usage.cost")
CONVERSATION = ("gen_ai.conversation.id", "session.id")
TOOL = ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")
_AGENT_NAME = ("gen_ai.agent.name", "agent.name")
_WORKFLOW_NAME = ("gen_ai.workflow.name", "traceloop.workflow.name")
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_ADDRESS = ("server.address", "gen_ai.openai.api_base", "openai.api_base")
_PLACEHOLDERS = frozenset({"OpenAI Agent", "unknown"})
"""Agent names that an instrumentation writes where it knows none."""

_HOSTS: Mapping[str, str] = {
    "openai.azure.com": "azure",
    "cognitiveservices.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "models.ai.azure.com": "azure",
    "inference.ai.azure.com": "azure",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.mistral.ai": "mistral_ai",
    "api.x.ai": "x_ai",
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together",
    "api.fireworks.ai": "fireworks_ai",
    "api.perplexity.ai": "perplexity",
    "api.moonshot.ai": "moonshot_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
"""Who answers at a host. An instrumentation names its client library, not whom it talked to."""


def operation_of(span: Span) -> str:
    """Return what the span did, in the words of the newest conventions; "" where it is not said."""
    if stated := span.text("gen_ai.operation.name"):
        return stated
    if kind := span.text("openinference.span.kind"):
        return _OPENINFERENCE.get(kind.upper(), kind.lower())
    if kind := span.text("llm.request.type"):
        return _LLM_REQUEST.get(kind, kind)
    if kind := span.text("traceloop.span.kind"):
        return _TRACELOOP.get(kind, kind)
    return "execute_tool" if span.text("gen_ai.tool.name") else ""


def role_of(span: Span) -> Role | None:
    """Return what the span is about; None where it has nothing to do with models."""
    operation = operation_of(span)
    if operation in _MODEL:
        return "model"
    if operation in _AGENT:
        return "agent"
    if operation in _TOOL or operation.endswith(("_memory", "_memory_store")):
        return "tool"
    counts = span.number(*UNITS["input_tokens"].otlp) is not None and span.text(*MODEL)
    if counts and operation not in _NOT_COUNTED:
        return "model"
    named = operation or any(name.startswith(_PREFIXES) for name in span.attributes)
    return "other" if named else None


def provider_of(span: Span) -> str:
    """Return who answered: by the host where it is known, else as the instrumentation says."""
    address = (span.text(*_ADDRESS) or "").lower()
    host = address.rpartition("://")[2].partition("/")[0].partition(":")[0]
    for known, provider in _HOSTS.items():
        if host == known or host.endswith(f".{known}"):
            return provider
    return span.text(*_PROVIDER) or "unknown"


def response_id_of(span: Span) -> str | None:
    """Return the provider's id of its answer; OpenInference has it inside the answer alone."""
    return span.text("gen_ai.response.id") or span.stated("output.value", "id")


def agent_name(span: Span) -> str | None:
    """Return the agent that the span itself names, if it does."""
    name = span.text(*_AGENT_NAME)
    if name is None and span.text("traceloop.span.kind") == "agent":
        name = span.text("traceloop.entity.name")
    return None if name in _PLACEHOLDERS else name


def workflow_name(span: Span) -> str | None:
    """Return the workflow that the span itself names, if it does."""
    return span.text(*_WORKFLOW_NAME)


def service_name(span: Span) -> str | None:
    """Return the service's name, unless it is what an SDK writes where nobody set one."""
    name = text_in(span.resource, "service.name")
    return None if name is None or name.startswith("unknown_service") else name


def error_type(span: Span) -> str | None:
    """Return what kind of error the span ended with; None where it went well."""
    stated = span.text("error.type")
    if stated is None and not span.failed:
        return None
    return stated or span.exception or "error"
