"""Prices one model call: the operator's own price, else the list's, at the time of the call."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from shared.events.types import LlmCall
from shared.pricing.book import read
from shared.pricing.cost import Cost
from shared.pricing.ends import end_of
from shared.pricing.listed import Listing
from shared.pricing.names import seller_of
from shared.pricing.overrides import Overrides
from shared.pricing.resolve import Names, NameTooLong, meaning
from shared.pricing.tariff import Tariff
from shared.units import Usage

MAX_TARIFFS = 4_096
STATED_WITHIN = Decimal("0.01")
"""By how much of ours a stated cost may differ: senders round, and leave out fractions."""
MICRO_DOLLAR = Decimal("0.000001")
ABSURD = 10
"""So many context windows in one call were never read by a model."""


def load(toml_text: str) -> "Prices":
    """Return prices by the list and by a prices.toml ("" for none).

    Raises:
        Misconfigured: names every wrong entry of the file, its line and the remedy.
    """
    return Prices(read(toml_text), Listing())


class Prices:
    """What every model call costs. Safe to share between threads; it forgets what is not asked."""

    def __init__(self, overrides: Overrides, listing: Listing) -> None:
        self._overrides = overrides
        self._listing = listing
        self._tariff = lru_cache(MAX_TARIFFS)(self._resolve)

    def price(self, call: LlmCall, at: datetime) -> Cost:
        """Return what the call cost at the rates in force when it happened.

        call: its tokens and cost_usd are totals over `count`; a context tier is judged by the
            input of one call. at: when it happened, aware.
        Never raises: a model without a price has the status "unknown" and no amount, as has a
        call that succeeded and did not state its usage.
        """
        if call.cost_usd and seller_of(call.provider, call.model)[0] in self._overrides.trusted:
            return Cost(call.cost_usd, "reported", f"cost_usd as {call.provider} told it")
        names = (call.provider, call.model, call.response_model, call.deployment, call.service_tier)
        try:
            tariff = self._tariff(names)
        except NameTooLong as exc:
            return Cost(None, "unknown", str(exc))
        used = call.usage
        if used is None or not (used.input_tokens or used.output_tokens or used.web_searches):
            return _without_usage(call, tariff, at)
        count = call.count
        # Rounded up: a tier begins above a whole number of tokens.
        quote = tariff.only or tariff.quote(at, -(-used.input_tokens // count))
        cost = quote.cost(used, count)
        if quote.costs_nothing or cost.usd is None:
            return cost
        if max(used.input_tokens, used.output_tokens) > quote.window * count:
            cost = _beyond(cost, used, quote.window * count)
        if call.cost_usd is None and not call.doubts and end_of(call) == "done":
            return cost
        return _doubted(cost, tuple(_doubts(call, cost)))

    def _resolve(self, names: Names) -> Tariff:
        return Tariff(meaning(names, self._overrides, self._listing))


def _without_usage(call: LlmCall, tariff: Tariff, at: datetime) -> Cost:
    quote = tariff.quote(at, 0)
    if quote.costs_nothing:
        return Cost(Decimal(0), quote.status, quote.source)
    missing = (*call.doubts, "usage")
    end = end_of(call)
    if end == "failed" and not call.doubts:
        return Cost(Decimal(0), "estimated", "a failed call, assumed not billed", missing)
    if end == "given up":
        source = "the call was given up; what was made until then may be billed"
        return Cost(None, "unknown", source, missing)
    return Cost(None, "unknown", "the call did not state its usage", missing)


def _doubts(call: LlmCall, cost: Cost) -> Iterator[str]:
    """Yield what the call itself puts in doubt about a price of its counts."""
    yield from call.doubts
    if end_of(call) == "given up":
        yield "output_tokens"
    if (
        cost.status in ("known", "estimated")
        and call.cost_usd
        and _differ(cost.usd or 0, call.cost_usd)
    ):
        yield "cost_usd"


def _differ(usd: Decimal | int, stated: Decimal) -> bool:
    return abs(stated - usd) > max(usd * STATED_WITHIN, MICRO_DOLLAR)


def _beyond(cost: Cost, used: Usage, window: int) -> Cost:
    """Doubt counts that are above the model's context window, and believe none far above it."""
    most = {"input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
    doubted = _doubted(cost, tuple(name for name, tokens in most.items() if tokens > window))
    if max(most.values()) <= window * ABSURD:
        return doubted
    why = f"more than {ABSURD} times what a call of it can have ({window:,} tokens)"
    return Cost(None, "unknown", f"{cost.source}; {why}", doubted.missing)


def _doubted(cost: Cost, doubts: tuple[str, ...]) -> Cost:
    """Return the cost with further doubts."""
    if not doubts or cost.usd is None:
        return cost
    missing = tuple(dict.fromkeys(cost.missing + doubts))
    return Cost(cost.usd, "estimated", cost.source, missing)
