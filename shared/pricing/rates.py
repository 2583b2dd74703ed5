"""The rates of one model at one moment, and the arithmetic over them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from shared.units import MILLION, RATES, UNITS, Usage, total_of

Sheet = Mapping[str, Decimal]
"""Rate of shared.units → US dollars for as many of its unit as that says."""

CACHED_AUDIO = "audio_cache_read_tokens"
"""What no field counts, and what is missing where it decides the price."""
_PARTS_FIRST = sorted(UNITS, key=lambda field: not UNITS[field].part_of)


@dataclass(frozen=True, slots=True)
class Rates:
    """What one of each unit costs, in whole grains: integers are exact, and faster than Decimal.

    grain: US dollars. beyond: rate → what one costs beyond the unit that it is a part of.
    counted: the same by the fields of Usage. unlisted: the fields that have no rate of their own.
    text_alone: input and output have rates, and a call as such costs nothing.
    """

    grain: Decimal
    beyond: Mapping[str, int]
    counted: Mapping[str, int]
    unlisted: Collection[str]
    text_alone: bool

    def charge(self, used: Usage, count: int) -> tuple[Decimal, tuple[str, ...]]:
        """Return the US dollars of that usage, the total of `count` calls, and what is missing:
        the parts that have no rate of their own, or that cannot be separated."""
        grains, is_missing = self.beyond["request"] * count, False
        counted, unlisted = self.counted, self.unlisted
        for field, amount in used.__dict__.items():
            if amount:
                grains += counted[field] * amount
                if field in unlisted:
                    is_missing = True
        missing: tuple[str, ...] = ()
        if is_missing:
            missing = tuple(f for f in _PARTS_FIRST if f in unlisted and getattr(used, f))
        if used.audio_input_tokens and (used.cache_read_tokens or used.cache_write_tokens):
            least, most = cached_audio(used)
            grains -= self.beyond["audio_input"] * least
            grains += self.beyond["audio_cache_read"] * min(least, used.cache_read_tokens)
            if least < most and self.beyond["audio_input"]:
                missing += (CACHED_AUDIO,)
        return grains * self.grain, missing


def compile_rates(sheet: Sheet) -> Rates:
    """Return the rates of a sheet, each missing one at its stand-in's or, without one, at 0."""
    full = dict(sheet)
    for name, unit in RATES.items():
        if name not in full:
            full[name] = full[unit.part_of] if unit.part_of else Decimal(0)
    each = {name: rate / RATES[name].per for name, rate in full.items()}
    beyond = {name: rate - each.get(RATES[name].part_of, 0) for name, rate in each.items()}
    grain = Decimal(1).scaleb(min(0, *(int(rate.as_tuple().exponent) for rate in beyond.values())))
    whole = {name: int(rate / grain) for name, rate in beyond.items()}
    return Rates(
        grain=grain,
        beyond=whole,
        counted={field: whole[unit.rate] for field, unit in UNITS.items()},
        unlisted={
            field for field, unit in UNITS.items() if not (unit.rate in sheet or unit.follows)
        },
        text_alone={"input", "output"} <= sheet.keys() and not whole["request"],
    )


def scaled(sheet: Sheet, factor: Decimal) -> Sheet:
    """Return the sheet with its token rates multiplied; searches and requests stay as they are."""
    return {name: rate * factor if is_of_tokens(name) else rate for name, rate in sheet.items()}


def is_of_tokens(rate: str) -> bool:
    """Return whether the rate is per million tokens, as an SKU's factor is meant for."""
    return RATES[rate].per == MILLION


def with_fees(sheet: Sheet, fees: Sheet) -> Sheet:
    """Return the sheet with fees on top: one on a total is asked for each of its parts too."""
    on_top = {name: fees.get(total_of(RATES[name]).rate, Decimal(0)) for name in sheet}
    return {**fees, **{name: rate + on_top[name] for name, rate in sheet.items()}}


def cached_audio(used: Usage) -> tuple[int, int]:
    """Return how many of the cached tokens are audio, at least and at most; events do not say."""
    cached = used.cache_read_tokens + used.cache_write_tokens
    least = max(0, cached + used.audio_input_tokens - used.input_tokens)
    return least, min(cached, used.audio_input_tokens)
