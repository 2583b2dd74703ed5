"""Decides which attributes of a span are kept: no words of prompts or answers unless asked for."""

import re
from collections.abc import Mapping

from shared.events.carried_span import SDK_OWN
from shared.events.otlp.span import Attributes, Scalar

SHORT_CHARS = 256
"""Longer texts of attributes that we know are no names any more."""
ALL_CHARS = 16_384
"""Of a span: an item of Azure Monitor may have 64 KiB, a queue message 48 KiB packed."""
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


def kept(attributes: Attributes, content_chars: int) -> dict[str, Scalar]:
    """Return the attributes to keep, of bounded size.

    content_chars: how much of any text to keep; 0 keeps no content, and nothing that is unknown.
    """
    chosen = {
        name: value[: content_chars or SHORT_CHARS] if isinstance(value, str) else value
        for name, value in attributes.items()
        if 0 < len(name) <= NAME_CHARS
        and not SDK_OWN.match(name)
        and (content_chars or _is_harmless(name, value))
    }
    return _bounded(chosen)


def _is_harmless(name: str, value: Scalar) -> bool:
    if not _KNOWN.match(name):
        return False
    return not isinstance(value, str) or (len(value) <= SHORT_CHARS and not _CONTENT.search(name))


def _bounded(attributes: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Leave out the longest texts until the rest fits."""
    room = ALL_CHARS
    chosen: dict[str, Scalar] = {}
    for name, value in sorted(attributes.items(), key=lambda pair: len(str(pair[1]))):
        room -= len(name) + len(str(value))
        if room < 0:
            break
        chosen[name] = value
    return chosen
