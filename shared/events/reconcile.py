"""Reconciles the token counts of providers and instrumentations into totals.

agentmeter and its client share this module: it needs nothing but Python, and the client's copy is
generated. Which count includes which is settled by the table of families and by the convention of
the sender; a stated total settles what these leave open. What stays unexplained is a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

Counts = dict[str, int]
MAX_CALL_TOKENS = 20_000_000
"""More than any model takes or makes in one call: a count above it is a mistake of the sender's."""


class Family(NamedTuple):
    """How the makers of some models count in their own API.

    cache, reasoning: "inside" the input, the output, or "beside" it. rest: the count that a stated
    total holds beyond its parts, "" for none.
    """

    models: str
    cache: str = "inside"
    reasoning: str = "inside"
    rest: str = ""


FAMILIES = (
    Family(r"claude|anthropic", cache="beside"),
    Family(r"amazon[./]nova|\bnova-(micro|lite|pro|premier|2)", cache="beside"),
    Family(r"gemini|gemma", reasoning="beside", rest="output_tokens"),
    Family(r"grok", reasoning="beside"),
)
"""Of any other model, the input includes the cache and the output the reasoning."""
_PLAIN = Family("")
_PLAIN_COUNTS = 2
_UNNAMED = Family("", cache="beside", reasoning="beside")
"""A model without a name may count either way: the total decides, or it is in doubt."""
_FAMILIES = tuple((re.compile(family.models), family) for family in FAMILIES)


class Reported(NamedTuple):
    """The counts of one call as the sender stated them, 0 or absent where it did not.

    total: as it was stated. cache, reasoning: the convention of the sender: "inside", "beside",
    "api" (as the provider's own API counts), or "" where it is not known.
    output_expected: such a call makes output, as embeddings do not.
    """

    counts: Mapping[str, int]
    total: int | None = None
    model: str = ""
    cache: str = ""
    reasoning: str = ""
    output_expected: bool = True


class Reconciled(NamedTuple):
    """Totals with their parts, None where nothing was counted.

    doubts: names of the counts that may be wrong. notes: what was changed, for a person to read.
    """

    counts: Counts | None
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_PARTS = (
    ("cache_read_tokens", "input_tokens"),
    ("cache_write_1h_tokens", "cache_write_tokens"),
    ("audio_input_tokens", "input_tokens"),
    ("reasoning_tokens", "output_tokens"),
    ("audio_output_tokens", "output_tokens"),
)


def family_of(model: str) -> Family:
    """Return how the model's maker counts."""
    name = model.lower()
    if not name:
        return _UNNAMED
    return next((family for pattern, family in _FAMILIES if pattern.search(name)), _PLAIN)


def count_of(value: float) -> int | None:
    """Return a count of tokens; None for a fraction, a negative number, or an absurd one."""
    return int(value) if 0 <= value <= MAX_CALL_TOKENS and value == int(value) else None


def reconcile(reported: Reported) -> Reconciled:
    """Return the totals that the counts of a call mean, and what of them is in doubt."""
    counts = dict(reported.counts)
    if not (counts.get("input_tokens") or counts.get("output_tokens")):
        return Reconciled(None)
    if len(counts) == _PLAIN_COUNTS and _is_plain(counts, reported.total):
        return Reconciled(counts)
    family, doubts = family_of(reported.model), list[str]()
    _fill_from_total(counts, reported, doubts)
    stated = (counts.get("input_tokens", 0), counts.get("output_tokens", 0))
    _include_cache(counts, reported, family, doubts)
    _include_reasoning(counts, reported, family, doubts)
    _explain_total(counts, stated, reported, family, doubts)
    notes = _clamp(counts, doubts)
    return Reconciled(counts, tuple(dict.fromkeys(doubts)), tuple(notes))


def _is_plain(counts: Counts, total: int | None) -> bool:
    """Return whether an input and an output stand alone, and any total agrees: any maker's call."""
    if "input_tokens" not in counts or "output_tokens" not in counts:
        return False
    return total is None or total == counts["input_tokens"] + counts["output_tokens"]


def _fill_from_total(counts: Counts, reported: Reported, doubts: list[str]) -> None:
    """Take an input or output that was not stated from the total; it is in doubt without one."""
    expected = ("input_tokens", "output_tokens") if reported.output_expected else ("input_tokens",)
    for name in expected:
        if name in counts:
            continue
        other = sum(counts.get(each, 0) for each in ("input_tokens", "output_tokens"))
        if reported.total is not None and reported.total >= other:
            counts[name] = reported.total - other
        else:
            doubts.append(name)


def _include_cache(counts: Counts, reported: Reported, family: Family, doubts: list[str]) -> None:
    """Add cached tokens to an input that is stated without them."""
    cached = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    stated = counts.get("input_tokens", 0)
    parts = stated + counts.get("output_tokens", 0)
    by_total = {parts: "inside", parts + cached: "beside"}.get(reported.total or -1, "")
    convention = _convention(reported.cache, family.cache, by_total)
    if convention == "beside" or _cannot_be_inside(cached, stated, family.cache, reported, doubts):
        counts["input_tokens"] = stated + cached


def _include_reasoning(
    counts: Counts, reported: Reported, family: Family, doubts: list[str]
) -> None:
    """Add thoughts to an output that is stated without them."""
    reasoning, stated = counts.get("reasoning_tokens", 0), counts.get("output_tokens", 0)
    parts = counts.get("input_tokens", 0) + stated
    by_total = {parts: "inside", parts + reasoning: "beside"}.get(reported.total or -1, "")
    convention = _convention(reported.reasoning, family.reasoning, by_total)
    if convention == "beside" or _cannot_be_inside(
        reasoning, stated, family.reasoning, reported, doubts
    ):
        counts["output_tokens"] = stated + reasoning
    elif reasoning and not convention:
        doubts.append("reasoning_tokens")


def _cannot_be_inside(
    part: int, stated: int, convention: str, reported: Reported, doubts: list[str]
) -> bool:
    """Return whether a part is more than the total that is said to hold it.

    Where some API counts so, it stands beside it; of a model without a name that is a guess.
    """
    if part <= stated or convention == "inside":
        return False
    if not reported.model:
        doubts.append("model")
    return True


def _convention(reported: str, family: str, by_total: str) -> str:
    """Return "inside" or "beside", "" where nothing settles it."""
    if reported in ("inside", "beside") or family == "inside":
        return reported if reported in ("inside", "beside") else family
    return family if reported == "api" else by_total


def _explain_total(
    counts: Counts, stated: tuple[int, int], reported: Reported, family: Family, doubts: list[str]
) -> None:
    """Hold the parts against the total: what it holds beyond them is output, or a doubt."""
    if reported.total is None:
        return
    whole = counts.get("input_tokens", 0) + counts.get("output_tokens", 0)
    cached = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    written = counts.get("cache_write_tokens", 0)
    # Some totals leave cached tokens out, or count them twice.
    if reported.total in (whole, sum(stated), whole + cached, whole + written, whole - cached):
        return
    gap = reported.total - whole
    if gap > 0 and family.rest and not counts.get("reasoning_tokens"):
        counts[family.rest] = counts.get(family.rest, 0) + gap
        counts["reasoning_tokens"] = gap
    else:
        doubts.append("total_tokens")


def _clamp(counts: Counts, doubts: list[str]) -> list[str]:
    """Cut each part to its total: a contradiction must not cost the whole event."""
    notes: list[str] = []
    for part, whole in _PARTS:
        if counts.get(part, 0) > counts.get(whole, 0):
            notes.append(f"{part} {counts[part]} was cut to {whole} {counts.get(whole, 0)}")
            counts[part] = counts.get(whole, 0)
            doubts.append(part)
    room = counts.get("input_tokens", 0) - counts.get("cache_read_tokens", 0)
    if counts.get("cache_write_tokens", 0) > room:
        notes.append(f"cache_write_tokens {counts['cache_write_tokens']} was cut to {room}")
        counts["cache_write_tokens"] = room
        counts["cache_write_1h_tokens"] = min(counts.get("cache_write_1h_tokens", 0), room)
        doubts.append("cache_write_tokens")
    return notes
