"""Reads the tokens of a model call from a span, whichever convention counts them."""

from collections.abc import Iterator
from typing import cast

from pydantic_core import from_json

from shared.events.otlp.names import provider_of
from shared.events.otlp.span import Span
from shared.units import MAX_TOKENS, PARTS, UNITS

Counts = dict[str, int]
_COUNTS = {name: unit.otlp for name, unit in UNITS.items() if unit.otlp}
_TOTAL = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")
_WITHOUT_CACHE = frozenset({"openlit"})
"""Instrumentations that pass on Claude's own input count, which leaves the cached tokens out."""
_RAW = "gen_ai.usage.raw"
"""Where Logfire keeps the provider's own counts as JSON; what it tells apart is only there."""
_RAW_NAMES = {raw: name for name, unit in UNITS.items() for raw in unit.raw}


def usage_of(span: Span) -> tuple[Counts | None, tuple[str, ...]]:
    """Return the tokens as Usage has them, totals with their parts, and what had to be mended.

    None where nothing was counted: a stream whose instrumentation did not see the usage sends no
    counts, or zeros, and neither means that the call was free.
    """
    counts, mended = _read(span)
    if not (counts.get("input_tokens") or counts.get("output_tokens")):
        return None, mended
    _include_cache(span, counts)
    _include_reasoning(span, counts)
    return counts, (*mended, *_clamp(counts))


def _read(span: Span) -> tuple[Counts, tuple[str, ...]]:
    counts: Counts = {}
    wrong: list[str] = []
    for field, names in _COUNTS.items():
        value = span.number(*names)
        if value is None:
            continue
        if 0 <= value <= MAX_TOKENS and value.is_integer():
            counts[field] = int(value)
        else:
            wrong.append(f"{field} {value:g} is no count of tokens and was left out")
    return dict(_raw_counts(span)) | counts, tuple(wrong)


def _raw_counts(span: Span) -> Iterator[tuple[str, int]]:
    """Yield the parts that the provider's own usage object tells apart."""
    try:
        raw: object = from_json(str(span.attributes.get(_RAW, "null")))
    except ValueError:
        return
    whole = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
    for value in (whole, *whole.values()):
        level = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        for name, field in _RAW_NAMES.items():
            if type(count := level.get(name)) is int and 0 < count <= MAX_TOKENS:
                yield field, count


def _include_cache(span: Span, counts: Counts) -> None:
    """Add the cached tokens to an input that is stated without them, as Claude's own API does."""
    stated = counts.get("input_tokens", 0)
    cached = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    if not cached or not _is_claude(span):
        return
    whole = stated + counts.get("output_tokens", 0) + cached
    adds_up = span.number(*_TOTAL) == whole
    if cached > stated or adds_up or span.scope.partition(".")[0] in _WITHOUT_CACHE:
        counts["input_tokens"] = stated + cached


def _is_claude(span: Span) -> bool:
    """Tell whether the API counts cached input apart: Anthropic's does, and Bedrock's."""
    model = span.text("gen_ai.request.model", "gen_ai.response.model", "llm.model_name") or ""
    return any(
        word in name.lower()
        for name in (provider_of(span), model)
        for word in ("anthropic", "claude", "bedrock")
    )


def _include_reasoning(span: Span, counts: Counts) -> None:
    """Add the thoughts to an output that is stated without them, as Gemini's own API does."""
    reasoning, output = counts.get("reasoning_tokens", 0), counts.get("output_tokens", 0)
    model = span.text("gen_ai.request.model", "gen_ai.response.model", "llm.model_name") or ""
    if reasoning > output and "gemini" in model.lower():
        counts["output_tokens"] = output + reasoning


def _clamp(counts: Counts) -> list[str]:
    """Cut each part to its total: a contradiction must not cost the whole event."""
    mended: list[str] = []
    for parts, whole in PARTS:
        room = counts.get(whole, 0)
        for part in parts:
            if (count := counts.get(part, 0)) > room:
                mended.append(
                    f"{part} {count} was cut to {f'{whole} {room}' if part == parts[0] else room}"
                )
                counts[part] = room
            room -= counts.get(part, 0)
    return mended
