"""Takes the price of one call apart: what was charged at which rate, and what would change it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shared.events.types import LlmCall
from shared.pricing.cost import Cost
from shared.pricing.entry import plain, price_entry
from shared.pricing.listed import Listing
from shared.pricing.overrides import Overrides
from shared.pricing.price import Prices
from shared.pricing.rates import Rates, cached_audio
from shared.pricing.resolve import Meaning, NameTooLong, meaning
from shared.units import RATES, UNITS, Usage

TIERS = ("standard", "batch", "flex", "priority")


@dataclass(frozen=True, slots=True)
class Line:
    """One rate class of a call: so many tokens (searches, requests) at that rate.

    rate: US dollars for `per` of them. is_guess: the class has no rate of its own.
    """

    rate_class: str
    amount: int
    rate: Decimal
    per: int
    usd: Decimal
    is_guess: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A price with its arithmetic: the lines add up to the cost exactly.

    since: when the call began to cost this; None: ever, as far as is known.
    lines: empty where no rates were used: there are none, or the provider reported the cost.
    changes: sentences, each about something that would make the same call cost otherwise.
    """

    call: LlmCall
    at: datetime
    cost: Cost
    since: datetime | None
    lines: tuple[Line, ...]
    changes: tuple[str, ...]


class Explainer:
    """Explains prices by the list and by the operator's own entries."""

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._listing = Listing()
        self._prices = Prices(overrides, self._listing)

    def explain(self, call: LlmCall, at: datetime) -> Explanation:
        """Return the price of the call at that moment and how it comes about."""
        cost = self._prices.price(call, at)
        used = call.usage or Usage()
        lines: tuple[Line, ...] = ()
        since = None
        if cost.usd is not None and cost.status != "reported" and (found := self._meaning(call)):
            since = self._since(call, at, cost, found)
            rates = found.terms(at).quote(at, -(-used.input_tokens // call.count)).rates
            lines = tuple(_lines(rates, used, call.count)) if rates else ()
        return Explanation(call, at, cost, since, lines, tuple(self._changes(call, at, cost)))

    def _meaning(self, call: LlmCall) -> Meaning | None:
        names = (call.provider, call.model, call.response_model, call.deployment, call.service_tier)
        try:
            return meaning(names, self._overrides, self._listing)
        except NameTooLong:
            return None

    def _since(self, call: LlmCall, at: datetime, cost: Cost, found: Meaning) -> datetime | None:
        for start in reversed(found.starts()):
            moment = datetime.fromtimestamp(start, UTC)
            before = self._prices.price(call, moment - timedelta(days=1))
            if moment <= at and (before.usd, before.source) != (cost.usd, cost.source):
                return moment
        return None

    def _changes(self, call: LlmCall, at: datetime, cost: Cost) -> Iterator[str]:
        if cost.missing:
            yield f"Rates, or counts, of {', '.join(cost.missing)} would end the guess."
        if cost.status == "unknown" and (entry := _entry(call, at, cost)):
            yield f"This entry of config/prices.toml:\n{entry}"
        if cost.usd is None or (found := self._meaning(call)) is None:
            return
        yield from self._changes_in_time(call, at, cost, found)
        for size in found.terms(at).thresholds(at):
            side = "up to" if (call.usage or Usage()).input_tokens > size * call.count else "above"
            yield f"Other rates hold {side} {size:,} input tokens a call."
        for tier in TIERS:
            other = self._prices.price(call.model_copy(update={"service_tier": tier}), at)
            if "service_tier" not in other.missing and other.usd not in (None, cost.usd):
                yield f"As service tier {tier} it costs {_amount(other)}."

    def _changes_in_time(
        self, call: LlmCall, at: datetime, cost: Cost, found: Meaning
    ) -> Iterator[str]:
        for start in found.starts():
            moment = datetime.fromtimestamp(start, UTC)
            other = self._prices.price(call, moment)
            if moment > at and other.usd != cost.usd:
                yield f"From {moment:%Y-%m-%d %H:%M} UTC it costs {_amount(other)}."
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for seconds in found.times_of_day():
            moment = midnight + timedelta(seconds=seconds)
            other = self._prices.price(call, moment)
            if other.usd != cost.usd:
                yield f"From {moment:%H:%M} UTC every day it costs {_amount(other)}."


def _amount(cost: Cost) -> str:
    return "an unknown amount" if cost.usd is None else f"US$ {plain(cost.usd)}"


def _entry(call: LlmCall, at: datetime, cost: Cost) -> str | None:
    return price_entry(call.provider, call.model, at.astimezone(UTC).date(), cost.missing)


def _lines(rates: Rates, used: Usage, count: int) -> Iterator[Line]:
    """Yield a line for each class that was used, tokens of its parts left to their own lines."""
    amounts = _amounts(rates, used, count)
    guessed = {UNITS[field].rate for field in rates.unlisted}
    for name, unit in RATES.items():
        parts = sum(amounts[part] for part, other in RATES.items() if other.part_of == name)
        if amount := amounts[name] - parts:
            each = _grains(rates, name) * rates.grain
            yield Line(name, amount, each * unit.per, unit.per, amount * each, name in guessed)


def _amounts(rates: Rates, used: Usage, count: int) -> dict[str, int]:
    """Return how many of each unit, parts included.

    A unit that costs what its whole does and that is no guess is not listed.
    """
    shared, _ = cached_audio(used)
    counted = {
        unit.rate: int(getattr(used, field))
        for field, unit in UNITS.items()
        if rates.beyond[unit.rate] or not unit.follows
    }
    return {
        **dict.fromkeys(RATES, 0),
        **counted,
        "audio_input": used.audio_input_tokens - shared,
        "audio_cache_read": (
            min(shared, used.cache_read_tokens) if rates.beyond["audio_cache_read"] else 0
        ),
        "request": count if rates.beyond["request"] else 0,
    }


def _grains(rates: Rates, name: str) -> int:
    """Return what one of the unit costs: what it says beyond its whole, and the whole."""
    whole = RATES[name].part_of
    return rates.beyond[name] + (_grains(rates, whole) if whole else 0)
