"""Reads the tokens of a model call from a span, whichever dialect counts them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.events.otlp.reader import Said, objects_in
from shared.events.otlp.span import Scalar, Span, number_in
from shared.events.reconcile import Counts, Reconciled, Reported, count_of, reconcile
from shared.units import UNITS

_IN_JSON: Mapping[str, str] = {
    **{raw: name for name, unit in UNITS.items() for raw in unit.raw},
    "total_tokens": "total_tokens",
    "total": "total_tokens",
}
"""Names of a provider's own usage object, and of Langfuse's, wherever they stand in it."""
_BESIDE: Mapping[str, str] = {
    "input_cached_tokens": "cache",
    "input_cache_read": "cache",
    "input_cache_creation": "cache",
    "output_reasoning_tokens": "reasoning",
    "output_reasoning": "reasoning",
}
"""Names of counts that are stated beside an `input` or `output` without them."""
_PART = re.compile(r"^(input|output)_[A-Za-z]")
_NAME = re.compile(r"[a-z0-9_]{1,64}")
UNNAMED = "usage"
"""What is in doubt where a part has a name that no doubt can have."""
MOST_UNKNOWN = 4
_LIKE_OPENAI = frozenset({"openrouter"})
"""Sellers of many makers' models whose API counts as OpenAI's does, cache and reasoning inside."""
MOST_USD = 1e12
TOTAL = "total_tokens"
NOTHING: tuple[Counts, frozenset[str], tuple[str, ...]] = ({}, frozenset(), ())


@dataclass(frozen=True, slots=True)
class Used:
    """The tokens that a span reports. wrong: counts that are none, or not known.

    cache, reasoning: where they are counted.
    """

    counts: Counts
    total: int | None
    wrong: tuple[str, ...]
    notes: tuple[str, ...]
    cache: str
    reasoning: str


def usage_of(
    span: Span, said: Said, provider: str, model: str, output_expected: bool
) -> Reconciled:
    """Return the tokens as Usage has them, totals with their parts, and what is in doubt.

    model: the names that identify its maker, who counts in a way of their own.
    None where nothing was counted: a stream whose instrumentation did not see the usage sends no
    counts, or zeros, and neither means that the call was free.
    """
    used = _read(span, said)
    cache, reasoning = (
        "inside" if convention == "api" and provider in _LIKE_OPENAI else convention
        for convention in (used.cache, used.reasoning)
    )
    reported = Reported(used.counts, used.total, model, cache, reasoning, output_expected)
    found = reconcile(reported)
    unseen = ("cache_read_tokens",) if _hides_the_cache(span, said, found) else ()
    if not (used.wrong or used.notes or unseen):
        return found
    doubts = tuple(dict.fromkeys((*used.wrong, *found.doubts, *unseen)))
    return found._replace(doubts=doubts, notes=(*used.notes, *found.notes))


def _hides_the_cache(span: Span, said: Said, found: Reconciled) -> bool:
    """Return whether cached tokens may have been used that the dialect does not tell."""
    where = said.dialect.blind.items()
    if not where or not found.counts or found.counts.get("cache_read_tokens"):
        return False
    return all(re.search(pattern, span.text(name) or "") for name, pattern in where)


def counts_tokens(span: Span, said: Said) -> bool:
    """Return whether the span counts what went in."""
    if said.first("input_tokens") is not None:
        return True
    return any(name in span.attributes for name in said.dialect.usage_in)


def _read(span: Span, said: Said) -> Used:
    counts: Counts = {}
    wrong: list[str] = []
    notes: list[str] = []
    for field in UNITS:
        value = said.first(field)
        if value is None:
            continue
        count = _count(value)
        if count is None:
            wrong.append(field)
            notes.append(f"{field} {str(value)[:40]} is no count of tokens and was left out")
        else:
            counts[field] = count
    for field, names in said.dialect.added.items():
        stated = next((span.attributes[name] for name in names if name in span.attributes), 0)
        counts[field] = counts.get(field, 0) + (_count(stated) or 0)
    total = said.number(TOTAL)
    inner, beside, unknown = _in_json(span, said) if said.dialect.usage_in else NOTHING
    stated_total = int(total) if total is not None and total >= 0 else inner.get(TOTAL)
    counts = {**{name: n for name, n in inner.items() if name != TOTAL}, **counts}
    dialect = said.dialect
    inside = any(name in span.attributes for name in dialect.inside_if)
    cache, reasoning = ("inside", "inside") if inside else (dialect.cache, dialect.reasoning)
    cache, reasoning = (
        "beside" if part in beside else convention
        for part, convention in (("cache", cache), ("reasoning", reasoning))
    )
    wrong += unknown
    return Used(counts, stated_total, tuple(wrong), tuple(notes), cache, reasoning)


def _count(value: Scalar) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return count_of(value)
    try:
        return count_of(float(value))
    except (ValueError, OverflowError):
        return None


def _in_json(span: Span, said: Said) -> tuple[Counts, frozenset[str], tuple[str, ...]]:
    """Return the counts of a usage object that the dialect keeps as JSON, which parts it tells
    beside their totals, and the names of parts that are not known here."""
    found: Counts = {}
    beside, unknown = set[str](), list[str]()
    for key, count in _counts_in_json(span, said):
        if field := _IN_JSON.get(key):
            found[field] = count
            if key in _BESIDE:
                beside.add(_BESIDE[key])
        elif count and _PART.match(key):
            unknown.append(key if _NAME.fullmatch(key) else UNNAMED)
    return found, frozenset(beside), tuple(dict.fromkeys(unknown))[:MOST_UNKNOWN]


def _counts_in_json(span: Span, said: Said) -> Iterator[tuple[str, int]]:
    for name in said.dialect.usage_in:
        for level in objects_in(span, name, 2):
            for key, value in level.items():
                if type(value) is int and (count := count_of(value)) is not None:
                    yield key, count


def cost_in_json(span: Span, said: Said) -> float:
    """Return the US dollars of a cost object that the dialect keeps as JSON; 0 for none."""
    for name in said.dialect.cost_in:
        for stated in objects_in(span, name):
            plain = {k: v for k, v in stated.items() if isinstance(v, str | int | float)}
            amounts = {name: number_in(plain, name) or 0 for name in plain}
            return amounts.get("total", sum(amounts.values()))
    return 0
