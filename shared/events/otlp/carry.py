"""Makes the span that is written beside its event; texts of prompts stay out unless asked for."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from shared.events.carried_span import SDK_OWN, CarriedSpan
from shared.events.otlp.record import MAX_S, Call
from shared.events.otlp.relate import Node
from shared.events.otlp.span import MAX_CHARS, Attributes, Scalar, Span

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
ESCAPED = 4
"""What a character counts for at most, as an escape."""
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


Place = Literal["dropped", "unknown", "content", "known"]
"""Of an attribute: never kept; kept where content is; the same, but its numbers are; kept."""


def carried(
    span: Span,
    node: Node,
    call: Call | None,
    agent: str | None,
    received_at: datetime,
    content_chars: int,
) -> CarriedSpan:
    """Return the span as it travels.

    call: what it says of a model call, where it is the record of one. agent: on whose account.
    content_chars: how much of a text attribute is kept; 0 keeps no content.
    """
    record = node.record
    name = span.name[:MAX_CHARS] or record.operation or "span"
    kept = _kept(span.attributes, content_chars, keeps_usage=call is not None)
    return CarriedSpan(
        source=record.source,
        id=f"{span.trace_id}:{span.span_id}",
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=name,
        role=record.source,
        client=span.kind == "client" or call is not None,
        start_ns=min(span.start_ns or span.end_ns or _ns(received_at), LATEST_NS),
        duration_ns=round(min(max(record.duration_s or 0, 0), MAX_S) * 1e9),
        failed=record.error is not None,
        attributes=_bounded(kept | _normal(node, call, agent), name),
    )


def _ns(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def _normal(node: Node, call: Call | None, agent: str | None) -> dict[str, Scalar]:
    """Return what every convention says, in the words of the newest one: the portal goes by it."""
    record = node.record
    provider = record.call.provider if record.call else "unknown"
    found: dict[str, Scalar | None] = {
        "gen_ai.operation.name": record.operation,
        # Azure Monitor's exporter knows a provider by this older name alone.
        "gen_ai.system": None if provider == "unknown" else provider,
        "gen_ai.agent.name": agent,
        "microsoft.gen_ai.main_agent.name": node.main_agent if node.has_root else None,
        "error_type": record.error,
    }
    if call:
        found["gen_ai.request.model"] = call.model or "unknown"
        found["gen_ai.response.model"] = call.response_model
    stated: dict[str, Scalar] = {name: value for name, value in found.items() if value}
    if call and call.usage:
        for name in TOTALS:
            stated[USAGE + name] = call.usage.get(name, 0)
    return stated


def _kept(attributes: Attributes, content_chars: int, *, keeps_usage: bool) -> dict[str, Scalar]:
    """Return the attributes to keep, each of bounded size.

    content_chars: how much of any text to keep; 0 keeps no content, and nothing that is unknown.
    keeps_usage: only the record of a call says what was used: a sum over spans counts it once.
    """
    keeps = _kept_with_content if content_chars else _kept_without_content
    return {
        name: value[: content_chars or SHORT_CHARS] if isinstance(value, str) else value
        for name, value in attributes.items()
        if len(name) <= NAME_CHARS
        and keeps(_place(name), value)
        and (keeps_usage or not name.startswith(USAGE))
    }


@lru_cache(4096)
def _place(name: str) -> Place:
    """Return what becomes of an attribute of that name."""
    if not name or SDK_OWN.match(name):
        return "dropped"
    if not _KNOWN.match(name):
        return "unknown"
    return "content" if _CONTENT.search(name) else "known"


def _kept_with_content(place: Place, _value: Scalar) -> bool:
    return place != "dropped"


def _kept_without_content(place: Place, value: Scalar) -> bool:
    if isinstance(value, str):
        return place == "known" and len(value) <= SHORT_CHARS
    return place in ("known", "content")


def _bounded(attributes: dict[str, Scalar], name: str) -> dict[str, Scalar]:
    """Leave out the longest texts until the rest fits; name: the span's, which is sent twice."""
    texts = (name, name, *(f"{key}{value}" for key, value in attributes.items()))
    if ESCAPED * len("".join(texts)) + (PUNCTUATION + 1) * len(texts) <= ALL_CHARS:
        return attributes
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
