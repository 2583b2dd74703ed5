"""Makes the span that is written beside its event; texts of prompts stay out unless asked for."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.events.carried_span import SDK_OWN, CarriedSpan
from shared.events.otlp.call import EPOCH, LATEST_NS, MAX_S, Call, duration_s
from shared.events.otlp.names import error_type, operation_of, provider_of
from shared.events.otlp.seen import Seen
from shared.events.otlp.span import MAX_CHARS, Attributes, Scalar
from shared.events.otlp.who import who

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
    seen: Seen, call: Call | None, received_at: datetime, content_chars: int
) -> CarriedSpan:
    """Return the span as it travels.

    call: what it says of a model call, where it is the record of one.
    content_chars: how much of a text attribute is kept; 0 keeps no content.
    """
    span = seen.span
    name = span.name[:MAX_CHARS] or operation_of(span) or "span"
    received_ns = (received_at - EPOCH) // timedelta(microseconds=1) * 1000
    return CarriedSpan(
        source=seen.source,
        id=seen.id,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=name,
        role=seen.source,
        client=span.kind == "client" or call is not None,
        start_ns=min(span.start_ns or span.end_ns or received_ns, LATEST_NS),
        duration_ns=round(min(max(duration_s(span) or 0, 0), MAX_S) * 1e9),
        failed=error_type(span) is not None,
        attributes=_bounded(_attributes(seen, call, content_chars), name),
    )


def _attributes(seen: Seen, call: Call | None, content_chars: int) -> dict[str, Scalar]:
    """Return the kept attributes, and those that the portal's view of agents goes by.

    Only the record of a call says what was used: whoever adds up the spans then counts it once.
    """
    found = _kept(seen.span.attributes, content_chars)
    if call is None:
        found = {name: value for name, value in found.items() if not name.startswith(USAGE)}
    return found | _normal(seen, call)


def _normal(seen: Seen, call: Call | None) -> dict[str, Scalar]:
    """Return what every convention says, in the words of the newest one."""
    span, provider = seen.span, provider_of(seen.span)
    stated: dict[str, object] = {
        "gen_ai.operation.name": operation_of(span),
        # Azure Monitor's exporter knows a provider by this older name alone.
        "gen_ai.system": None if provider == "unknown" else provider,
        "gen_ai.agent.name": who(span, seen.tree)["agent_type"],
        "microsoft.gen_ai.main_agent.name": seen.tree.main_agent(span),
        "error_type": error_type(span),
    }
    counts: dict[str, Scalar] = {}
    if call:
        stated["gen_ai.request.model"] = call.data["model"]
        stated["gen_ai.response.model"] = call.data["response_model"]
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
