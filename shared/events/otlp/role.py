"""Decides what a span is about: a model call, an agent's or a tool's work, or neither."""

import re
from typing import Literal

from shared.events.otlp.common_dialects import COMMON, OPENINFERENCE, OPENLLMETRY
from shared.events.otlp.reader import Said
from shared.events.otlp.span import Span
from shared.events.otlp.usage import counts_tokens

Role = Literal["model", "agent", "tool", "other", ""]
"""What a span is about; `other` belongs to a model's work and is no event, "" is none of ours."""
EMBEDDINGS = "embeddings"
_LLM_REQUEST = {"completion": "text_completion", "embedding": EMBEDDINGS}
_MODEL = frozenset({"chat", "text_completion", "generate_content", EMBEDDINGS})
_AGENT = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "plan"})
_TOOL = frozenset({"execute_tool", "retrieval"})
_NOT_COUNTED = frozenset({"fetch_response", "unknown", "chain", "task", "repeat"})
"""What repeats the tokens of a call that another span reports, or is none."""
_PREFIXES = ("gen_ai.", "llm.", "openinference.", "traceloop.", "ai.", "langfuse.observation.")
_EVENTS = re.compile(r"^(event\.)?gen_ai\.")
_DETAILS = re.compile(r"^(event\.)?gen_ai\..*\.details$")
"""Names of the conventions' own log events, and of those that report a whole call."""


def operation_of(span: Span, said: Said) -> str:
    """Return what the span did; "" where it is not said."""
    if span.is_log:
        return _log_operation(span, said)
    dialect = said.dialect
    if dialect.repeated(span.name) and not span.failed and not counts_tokens(span, said):
        return "repeat"
    if (said.text("cache_hit") or "").lower() == "true":
        return "repeat"
    stated = said.text("operation")
    if dialect.shared and stated in _MODEL:
        return stated
    subject = span.text(dialect.operation_in) if dialect.operation_in else span.name
    if subject and (found := dialect.operation(subject)):
        return found
    return stated or _older_operation(span)


def _log_operation(span: Span, said: Said) -> str:
    """Return the operation of a log record; "repeat" where it is no record of a call or a tool's
    work.

    Agents' records repeat their spans, and a record of neither usage, answer nor failure is a
    request, or content.
    """
    counts = counts_tokens(span, said)
    operation = said.dialect.operation(span.name)
    if operation is None and (counts or _DETAILS.search(span.name)):
        operation = said.text("operation") or "chat"
    if operation in _MODEL:
        reports = counts or span.failed or said.text("response_id")
        return operation if reports else "repeat"
    return operation if operation in _TOOL else "repeat"


def _older_operation(span: Span) -> str:
    """Return what the conventions before gen_ai.operation.name say."""
    for dialect in (OPENINFERENCE, OPENLLMETRY):
        if (kind := span.text(dialect.operation_in)) and (found := dialect.operation(kind)):
            return found
    if kind := span.text("llm.request.type"):
        return _LLM_REQUEST.get(kind, kind)
    return "execute_tool" if span.text("gen_ai.tool.name") else ""


def role_of(span: Span, said: Said, operation: str) -> Role:
    """Return what a span of that operation is about."""
    if operation in _MODEL:
        return "model"
    if operation in _AGENT:
        return "agent"
    if operation in _TOOL or operation.endswith(("_memory", "_memory_store")):
        return "tool"
    if operation not in _NOT_COUNTED and counts_tokens(span, said):
        return "model"
    if span.is_log:
        is_known = said.dialect is not COMMON or bool(_EVENTS.search(span.name))
        return "other" if is_known else ""
    named = operation or any(name.startswith(_PREFIXES) for name in span.attributes)
    return "other" if named else ""
