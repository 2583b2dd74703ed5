"""Makes the span that is written beside its event; texts of prompts stay out unless asked for."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from shared.events.carried_span import SDK_OWN, CarriedSpan
from shared.events.otlp.record import MAX_S, Call
from shared.events.otlp.relate import Node
from shared.events.otlp.span import MAX_CHARS, Attributes, Scalar, Span
from shared.events.otlp.tell import owner_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_NS = 253_402_300_799 * 10**9
"""The last second that a datetime holds."""

USAGE = "gen_ai.usage."
TOTALS = ("input_tokens", "output_tokens")
SHORT_CHARS = 256
"""Longer texts of attributes that we know are no names any more."""
ALL_CHARS = 16_384
"""Of a span: an item of Azure Monitor may have 64 KiB, a queue message 48 KiB packed."""
PUNCTUATION = 8
NAME_CHARS = 150
_KNOWN = re.compile(
    r"gen_ai\.|llm\.(model_name|provider|system|token_count|usage|request\.type|finish_reason)"
    r"|openinference\.span\.kind|traceloop\.|microsoft\.|openai\.|anthropic\.|azure\.|aws\."
    r"|(agent|agentmeter|deployment|mission|service|team|tenant|tool|user)\.|operation\.cost"
)
_CONTENT = re.compile(
    r"messages?\b|prompt(s|\.\d+.*|_template.*)?$|completion(s|\.\d+.*)?$|instructions?\b"
    r"|content\b|arguments?$|parameters$|description$|definitions?$|documents?\b"
    r"|(entity|tool\.call)\.(input|output|result)$|tool\.(result|response|message)"
    r"|query(\.text)?$|usage\.raw$|reasoning$|\btext$|\btools\b"
)


def carried(
    span: Span, node: Node, call: Call | None, received_at: datetime, content_chars: int
) -> CarriedSpan:
    """Return the span as it travels.

    call: what it says of a model call, where it is the record of one.
    content_chars: how much of a text attribute is kept; 0 keeps no content.
    """
    record = node.record
    name = span.name[:MAX_CHARS] or record.operation or "span"
    received_ns = (received_at - EPOCH) // timedelta(microseconds=1) * 1000
    return CarriedSpan(
        source=record.source,
        id=f"{span.trace_id}:{span.span_id}",
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=name,
        role=record.source,
        client=span.kind == "client" or call is not None,
        start_ns=min(span.start_ns or span.end_ns or received_ns, LATEST_NS),
        duration_ns=round(min(max(record.duration_s or 0, 0), MAX_S) * 1e9),
        failed=record.error is not None,
        attributes=_bounded(_attributes(span, node, call, content_chars), name),
    )


def _attributes(span: Span, node: Node, call: Call | None, content_chars: int) -> dict[str, Scalar]:
    """Return the kept attributes, and those that the portal's view of agents goes by.

    Only the record of a call says what was used: a sum over the spans then counts it once.
    """
    found = _kept(span.attributes, content_chars)
    if call is None:
        found = {name: value for name, value in found.items() if not name.startswith(USAGE)}
    return found | _normal(node, call)


def _normal(node: Node, call: Call | None) -> dict[str, Scalar]:
    """Return what every convention says, in the words of the newest one."""
    record = node.record
    provider = record.call.provider if record.call else "unknown"
    stated: dict[str, object] = {
        "gen_ai.operation.name": record.operation,
        # Azure Monitor's exporter knows a provider by this older name alone.
        "gen_ai.system": None if provider == "unknown" else provider,
        "gen_ai.agent.name": owner_of(node)["agent_type"],
        "microsoft.gen_ai.main_agent.name": node.main_agent if node.has_root else None,
        "error_type": record.error,
    }
    counts: dict[str, Scalar] = {}
    if call:
        stated["gen_ai.request.model"] = call.model or "unknown"
        stated["gen_ai.response.model"] = call.response_model
        counts = {f"{USAGE}{name}": (call.usage or {}).get(name, 0) for name in TOTALS}
    return {name: str(value) for name, value in stated.items() if value} | (
        counts if call and call.usage else {}
    )


def _kept(attributes: Attributes, content_chars: int) -> dict[str, Scalar]:
    """Return the attributes to keep, each of bounded size.

    content_chars: how much of any text to keep; 0 keeps no content, and nothing that is unknown.
    """
    return {
        name: value[: content_chars or SHORT_CHARS] if isinstance(value, str) else value
        for name, value in attributes.items()
        if 0 < len(name) <= NAME_CHARS
        and not SDK_OWN.match(name)
        and (content_chars or _is_harmless(name, value))
    }


def _is_harmless(name: str, value: Scalar) -> bool:
    if not _KNOWN.match(name):
        return False
    return not isinstance(value, str) or (len(value) <= SHORT_CHARS and not _CONTENT.search(name))


def _bounded(attributes: Mapping[str, Scalar], name: str) -> dict[str, Scalar]:
    """Leave out the longest texts until the rest fits; name: the span's, which is sent twice."""
    room = ALL_CHARS - 2 * _weight(name)
    chosen: dict[str, Scalar] = {}
    for key, value in sorted(attributes.items(), key=lambda pair: len(str(pair[1]))):
        room -= _weight(f"{key}{value}")
        if room < 0:
            break
        chosen[key] = value
    return chosen


def _weight(text: str) -> float:
    """Return how many characters the text counts for; more where it is mostly escapes."""
    return max(len(text), len(json.dumps(text)) / 3) + PUNCTUATION
