"""What decides a call's rates besides its time and size, and the quotes that follow from it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Protocol

from shared.pricing.cost import Cost, CostStatus
from shared.pricing.listed import Listed
from shared.pricing.names import STANDARD
from shared.pricing.overrides import Doubt, Fee, Price, Sku
from shared.pricing.rates import Rates, Sheet, compile_rates, is_of_tokens, scaled, with_fees
from shared.units import RATES, Usage

DAY_S = 86_400
LEAST_WINDOW = 1_000_000
"""Tokens: as many as any model's context window is trusted with, since lists lag behind models."""
VOICE = ("audio_input_tokens", "audio_output_tokens")
"""What a call of a model that speaks nearly always uses."""
TEXT = frozenset({"input_tokens", "output_tokens"})
NO_TOKEN_COSTS: Sheet = {name: Decimal(0) for name in RATES if is_of_tokens(name)}

_cost: Callable[[tuple[Decimal, CostStatus, str, tuple[str, ...]]], Cost] = partial(
    tuple[object, ...].__new__, Cost
)
"""Cost(…) without the frame of Python code that a NamedTuple is made in: half the time."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The rates for calls of one kind, one size and one time, and how sure they are.

    missing: what is in doubt whatever is used. uncounted: fields of Usage that are, unless the call
        tells them. where: what is in doubt of calls that use a field.
    costs_nothing: so is no usage at all.
    plain: the rates again, where calls that state no more than their text need nothing else.
    window: how many tokens one call can have; above it, its counts are in doubt.
    """

    rates: Rates | None
    status: CostStatus
    source: str
    missing: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()
    where: tuple[Doubt, ...] = ()
    costs_nothing: bool = False
    plain: Rates | None = None
    window: int = LEAST_WINDOW

    def cost(self, used: Usage, count: int) -> Cost:
        """Return what that usage costs, the total of `count` calls."""
        plain = self.plain
        if plain and used.__pydantic_fields_set__ <= TEXT:  # the property takes twice as long
            each = plain.counted
            grains = each["input_tokens"] * used.input_tokens
            grains += each["output_tokens"] * used.output_tokens
            return _cost((grains * plain.grain, self.status, self.source, ()))
        if self.rates is None:
            return Cost(None, "unknown", self.source, self.missing)
        amount, missing = self.rates.charge(used, count)
        missing += self.missing
        if self.uncounted:
            stated = used.__pydantic_fields_set__
            missing += tuple(part for part in self.uncounted if part not in stated)
        missing += tuple(d.part for d in self.where if getattr(used, d.where) > d.above * count)
        if not missing:
            return _cost((amount, self.status, self.source, ()))
        if not amount and self.status == "known":
            return Cost(None, "unknown", self.source, missing)
        return Cost(amount, "estimated", self.source, tuple(dict.fromkeys(missing)))


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything about a call but its time and size that decides its rates.

    label: the model, for a person to read. list_name: the price list's.
    of_model, of_deployment: the operator's prices in force, of any tier and size; the first are
        what the SKU's factor is applied to, the second are final.
    fees: what is asked on top. doubts: the operator's. guesses: what the names leave open.
    """

    label: str
    list_name: str
    listed: Listed | None
    of_model: Sequence[Price]
    of_deployment: Sequence[Price]
    fees: Sequence[Fee]
    doubts: Sequence[Doubt]
    guesses: tuple[str, ...]
    sku: Sku
    tier: str

    def thresholds(self, at: datetime) -> Sequence[int]:
        """Return the input sizes, in tokens, ascending, above which a call has other rates."""
        sizes = {price.over_input_tokens for price in (*self.of_model, *self.of_deployment)} - {0}
        if self.listed:
            sizes |= self.listed.thresholds(self._priced_tier(at), at)
        return sorted(sizes)

    def quote(self, at: datetime, input_tokens: int) -> Quote:
        """Return the rates at that moment for a call of that size."""
        if not self.sku.factor and not self.of_deployment:
            why = f"{self.label}; {self.sku.name}: {self.sku.source}"
            return Quote(compile_rates(NO_TOKEN_COSTS), "overridden", why, costs_nothing=True)
        tier = self._priced_tier(at)
        own = _fitting(self.of_model, tier, input_tokens)
        final = _fitting(self.of_deployment, tier, input_tokens)
        global_sheet = {**self._listed_sheet(tier, at, input_tokens), **_merged(own)}
        sheet = {**scaled(global_sheet, self.sku.factor), **_merged(final)}
        if "input" not in sheet and "output" not in sheet:
            return Quote(None, "unknown", f"{self.label} has no price per token")
        given = {**_merged(own), **_merged(final)}
        doubts = self._doubts(tier, at, sheet, given)
        counted = tuple(part for part in doubts if part in Usage.model_fields)
        rates = compile_rates(with_fees(sheet, _merged(_fitting(self.fees, tier, input_tokens))))
        return Quote(
            rates,
            status="overridden" if own or final else "known",
            source=self._source(tier, (*own, *final)),
            missing=tuple(part for part in doubts if part not in counted),
            uncounted=counted,
            where=tuple(each for each in self.doubts if each.where),
            plain=rates if rates.text_alone and not doubts else None,
            window=max(LEAST_WINDOW, self.listed.window if self.listed else 0),
        )

    def _priced_tier(self, at: datetime) -> str:
        """Return the tier that was asked for where it has a price, else the standard one."""
        own = {price.service_tier for price in (*self.of_model, *self.of_deployment)}
        return self.tier if self.tier in own or self._lists(self.tier, at) else STANDARD

    def _listed_sheet(self, tier: str, at: datetime, input_tokens: int) -> Sheet:
        if self.listed is None or not self._lists(tier, at):
            return {}
        return self.listed.sheet(tier, at, input_tokens)

    def _lists(self, tier: str, at: datetime) -> bool:
        return self.listed is not None and (tier == STANDARD or self.listed.has_tier(tier, at))

    def _doubts(self, tier: str, at: datetime, sheet: Sheet, given: Sheet) -> Sequence[str]:
        """Name what is in doubt; `given` are the operator's own rates in the sheet."""
        doubts = [*self.guesses] if tier == self.tier else [*self.guesses, "service_tier"]
        if self.listed and self.listed.is_borrowed and not {"input", "output"} <= given.keys():
            doubts.append("seller")
        doubts += self.listed.uncounted(tier, at) if self.listed else []
        doubts += VOICE if "audio_output" in sheet else ()
        doubts += [
            each.part
            for each in self.doubts
            if not each.where and not given.keys() & set(each.unless)
        ]
        return list(dict.fromkeys(doubts))

    def _source(self, tier: str, prices: Sequence[Price]) -> str:
        parts = [self.label, *(f"prices.toml from {p.from_}: {p.source}" for p in prices)]
        if not prices:
            parts.append(f"list price, {self.list_name}")
        if tier != STANDARD:
            parts.append(f"{tier} tier")
        parts.extend(f"plus the fee from {fee.from_}: {fee.source}" for fee in self.fees)
        if self.sku.factor != 1:
            parts.append(f"times {self.sku.factor} for {self.sku.name} ({self.sku.source})")
        return "; ".join(parts)


class Timetable(Protocol):
    """Knows the terms of a call at any moment, and when they or the prices in them change."""

    def terms(self, at: datetime) -> Terms:
        """Return the terms of a call at that moment."""
        ...

    def starts(self) -> Sequence[float]:
        """Return the moments (POSIX, ascending) at which something changes for good."""
        ...

    def times_of_day(self) -> Sequence[float]:
        """Return the seconds after midnight UTC, ascending, at which something changes daily."""
        ...


class Tariff:
    """The quotes for the calls of one timetable, each made when it is first asked for.

    There are as many as there are dated prices, times of day and sizes: a handful.
    only: the quote where there is one alone, whatever the time and size of the call.
    """

    __slots__ = ("_quotes", "_starts", "_times", "_timetable", "only")

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._starts = timetable.starts()
        self._times = timetable.times_of_day()
        self._quotes: dict[int, tuple[Sequence[int], Sequence[Quote]]] = {}
        self.only: Quote | None = None

    def quote(self, at: datetime, input_tokens: int) -> Quote:
        """Return the rates at that moment for a call of that size."""
        slot = self._slot(at) if self._starts or self._times else 0
        found = self._quotes.get(slot)
        if found is None:
            found = self._quotes[slot] = self._compile(at)
        sizes, quotes = found
        return quotes[bisect_left(sizes, input_tokens)] if sizes else quotes[0]

    def _compile(self, at: datetime) -> tuple[Sequence[int], Sequence[Quote]]:
        terms = self._timetable.terms(at)
        sizes = terms.thresholds(at)
        quotes = [terms.quote(at, least) for least in (0, *(size + 1 for size in sizes))]
        if not (self._starts or self._times or sizes):
            self.only = quotes[0]
        return sizes, quotes

    def _slot(self, at: datetime) -> int:
        """Number the period and the time of day that the moment lies in."""
        moment = at.timestamp()
        period = bisect_right(self._starts, moment)
        if not self._times:
            return period
        return period * (len(self._times) + 1) + bisect_right(self._times, moment % DAY_S)


def _fitting(prices: Sequence[Price], tier: str, input_tokens: int) -> Sequence[Price]:
    """Return the prices for calls of that tier and size, the narrowest last."""
    fitting = [
        price
        for price in prices
        if price.service_tier == tier
        and (not price.over_input_tokens or input_tokens > price.over_input_tokens)
    ]
    return sorted(fitting, key=lambda price: price.over_input_tokens)


def _merged(prices: Sequence[Price]) -> Sheet:
    return {name: rate for price in prices for name, rate in price.sheet.items()}
