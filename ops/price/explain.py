"""Takes the price of one call apart: what was charged at which rate, and what would change it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from shared.events.types import LlmCall, Usage
from shared.pricing.cost import Cost
from shared.pricing.entry import plain, price_entry
from shared.pricing.listed import Listing
from shared.pricing.overrides import Overrides
from shared.pricing.price import Prices
from shared.pricing.rates import COUNTED_AS, PART_OF, PER_THOUSAND, RATE_CLASSES, Rates
from shared.pricing.resolve import Meaning, NameTooLong, meaning

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
    for name in RATE_CLASSES:
        parts = sum(amounts[part] for part, whole in PART_OF.items() if whole == name)
        if amount := amounts[name] - parts:
            per = 1_000 if name in PER_THOUSAND else 1_000_000
            unit = _units(rates, name) * rates.unit
            guessed = bool(rates.unlisted.get(COUNTED_AS.get(name, ""), ()))
            yield Line(name, amount, unit * per, per, amount * unit, guessed)


def _amounts(rates: Rates, used: Usage, count: int) -> dict[str, int]:
    """Return how many of each class, parts included.

    A class that costs what its whole does and that nobody misses is not told apart.
    """
    cached = used.cache_read_tokens + used.cache_write_tokens
    # Nobody reports how many cached tokens are audio: as few as the totals allow.
    shared = max(0, cached + used.audio_input_tokens - used.input_tokens)
    return {
        **{name: int(getattr(used, field)) for name, field in COUNTED_AS.items()},
        "audio_input": used.audio_input_tokens - shared,
        "audio_cache_read": min(shared, used.cache_read_tokens) if rates.audio_cache_read else 0,
        "reasoning": used.reasoning_tokens if rates.reasoning else 0,
        "request": count if rates.request else 0,
    }


def _units(rates: Rates, name: str) -> int:
    """Return what one of the class costs: what it says beyond its whole, and the whole."""
    beyond = int(getattr(rates, name))
    return beyond + _units(rates, PART_OF[name]) if name in PART_OF else beyond
