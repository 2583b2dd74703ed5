"""Reads the tokens of a model call from a span, whichever dialect counts them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.events.otlp.reader import Said, objects_in
from shared.events.otlp.span import Scalar, Span
from shared.events.reconcile import Counts, Reconciled, Told, count_of, reconcile
from shared.units import UNITS

_IN_JSON: Mapping[str, str] = {
    **{raw: name for name, unit in UNITS.items() for raw in unit.raw},
    "total_tokens": "total_tokens",
    "total": "total_tokens",
}
"""Names of a provider's own usage object, and of Langfuse's, wherever they stand in it."""
_BESIDE = frozenset({"input_cached_tokens", "input_cache_read", "input_cache_creation"})
"""Names of counts that are told beside an `input` without them."""
TOTAL = "total_tokens"


@dataclass(frozen=True, slots=True)
class Used:
    """What a span tells of tokens. wrong: attributes that are no counts."""

    counts: Counts
    total: int | None
    wrong: tuple[str, ...]
    notes: tuple[str, ...]
    cache: str


def usage_of(span: Span, said: Said, model: str, output_expected: bool) -> Reconciled:
    """Return the tokens as Usage has them, totals with their parts, and what is in doubt.

    None where nothing was counted: a stream whose instrumentation did not see the usage sends no
    counts, or zeros, and neither means that the call was free.
    """
    used = _read(span, said)
    told = Told(used.counts, used.total, model, used.cache, said.dialect.reasoning, output_expected)
    found = reconcile(told)
    unseen = ("cache_read_tokens",) if _hides_the_cache(span, said, found) else ()
    if not (used.wrong or used.notes or unseen):
        return found
    doubts = tuple(dict.fromkeys((*used.wrong, *found.doubts, *unseen)))
    return found._replace(doubts=doubts, notes=(*used.notes, *found.notes))


def _hides_the_cache(span: Span, said: Said, found: Reconciled) -> bool:
    """Tell whether cached tokens may have been used that the dialect does not tell."""
    where = said.dialect.blind.items()
    if not where or not found.counts or found.counts.get("cache_read_tokens"):
        return False
    return all(re.search(pattern, span.text(name) or "") for name, pattern in where)


def counts_tokens(span: Span, said: Said) -> bool:
    """Tell whether the span counts what went in."""
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
    inner = dict(_in_json(span, said)) if said.dialect.usage_in else {}
    cache = "beside" if inner.pop("beside", 0) else said.dialect.cache
    stated_total = int(total) if total is not None and total >= 0 else inner.get(TOTAL)
    inner.pop(TOTAL, None)
    return Used(inner | counts, stated_total, tuple(wrong), tuple(notes), cache)


def _count(value: Scalar) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return count_of(value)
    try:
        return count_of(float(value))
    except (ValueError, OverflowError):
        return None


def _in_json(span: Span, said: Said) -> Iterator[tuple[str, int]]:
    """Yield the counts of a usage object that the dialect keeps as JSON."""
    for name in said.dialect.usage_in:
        for level in objects_in(span, name):
            for key, value in level.items():
                field = _IN_JSON.get(key)
                if field and type(value) is int and (count := count_of(value)) is not None:
                    yield field, count
                    if key in _BESIDE:
                        yield "beside", 1
