"""Prices one model call: the operator's own price, else the list's, at the time of the call."""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from shared.events.types import LlmCall
from shared.pricing.book import read
from shared.pricing.cost import Cost
from shared.pricing.listed import Listing
from shared.pricing.names import seller_of
from shared.pricing.overrides import Overrides
from shared.pricing.resolve import Names, NameTooLong, meaning
from shared.pricing.tariff import Tariff

MAX_TARIFFS = 4_096
FAILED = frozenset({"error", "failed", "failure", "rate_limited", "refused", "throttled"})
"""Statuses, with HTTP's 4xx and 5xx, of a call that nobody bills unless it tells its usage."""


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
        call that succeeded and did not tell its usage.
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
        return quote.cost(used, count)

    def _resolve(self, names: Names) -> Tariff:
        return Tariff(meaning(names, self._overrides, self._listing))


def _without_usage(call: LlmCall, tariff: Tariff, at: datetime) -> Cost:
    quote = tariff.quote(at, 0)
    if quote.costs_nothing:
        return Cost(Decimal(0), quote.status, quote.source)
    if call.status.lower() in FAILED or (call.status.isdecimal() and int(call.status) >= 400):
        return Cost(Decimal(0), "estimated", "a failed call, assumed not billed", ("usage",))
    return Cost(None, "unknown", "the call did not tell its usage", ("usage",))
