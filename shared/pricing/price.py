"""Prices one model call: the operator's own price, else the list's, at the time of the call."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from shared.events.types import LlmCall
from shared.pricing.book import read
from shared.pricing.cost import Cost
from shared.pricing.listed import Listed, Listing, midnight
from shared.pricing.names import STANDARD, seller_of, spellings, tier_of
from shared.pricing.overrides import Deployment, Overrides, Price
from shared.pricing.tariff import Tariff, Terms

MAX_NAME = 256
MAX_TARIFFS = 4_096
FAILED = frozenset({"error", "failed", "failure", "rate_limited", "refused", "throttled"})
"""Statuses, with HTTP's 4xx and 5xx, of a call that nobody bills unless it tells its usage."""

Names = tuple[str, str, str | None, str | None, str | None]
"""Provider, model, response model, deployment and service tier, as they were sent."""


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
        self._days = overrides.days()
        self._changes = [midnight(day) for day in self._days]
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
        period = bisect_right(self._changes, at.timestamp()) if self._changes else 0
        try:
            tariff = self._tariff(
                (
                    call.provider,
                    call.model,
                    call.response_model,
                    call.deployment,
                    call.service_tier,
                ),
                period,
            )
        except _NameTooLong as exc:
            return Cost(None, "unknown", str(exc))
        used = call.usage
        if used is None or not (used.input_tokens or used.output_tokens or used.web_searches):
            return _without_usage(call, tariff)
        # Rounded up: a tier begins above a whole number of tokens.
        quote = tariff.only or tariff.quote(at, -(-used.input_tokens // call.count))
        return quote.cost(used, call.count)

    def _resolve(self, names: Names, period: int) -> Tariff:
        if max(len(name) for name in names if name) > MAX_NAME:
            raise _NameTooLong(f"a name is over {MAX_NAME} characters and was not looked up")
        provider, model, response_model, deployment, service_tier = names
        day = self._days[period - 1] if period else date.min
        seller, bare = seller_of(provider, model)
        # Azure's clients send the deployment's name as the model.
        name = deployment or (bare if seller == "azure" else "")
        mapped = self._overrides.deployment(name, day)
        sku = self._overrides.sku(mapped.sku if mapped else "global", day)
        tier = tier_of(service_tier)
        found = self._find(_candidates(mapped, seller, bare, response_model), day)
        label = f"{seller}/{bare.strip()}" if found is None else found.label
        return Tariff(
            Terms(
                label=f"deployment {mapped.name}: {label}" if mapped else label,
                list_name=self._listing.name,
                listed=found and found.listed,
                of_model=found.prices if found else (),
                of_deployment=self._overrides.prices_of((name.strip().lower(),), day),
                sku=sku,
                tier=STANDARD if sku.name.endswith(f"-{tier}") else tier,
            )
        )

    def _find(self, candidates: Sequence[tuple[str, str]], day: date) -> "_Found | None":
        """Return the first of the candidates that has a price under any of its spellings."""
        for candidate in candidates:
            for provider, model in spellings(*candidate):
                listed = self._listing.find(provider, model)
                prices = self._overrides.prices_of((provider, model), day)
                if listed and not prices:
                    prices = self._overrides.prices_of((provider, listed.model.id.lower()), day)
                if listed or prices:
                    return _Found(f"{provider}/{model}", listed, prices)
        return None


@dataclass(frozen=True, slots=True)
class _Found:
    label: str
    listed: Listed | None
    prices: Sequence[Price]


def _candidates(
    mapped: Deployment | None, seller: str, model: str, response_model: str | None
) -> Sequence[tuple[str, str]]:
    """Return (provider, model) in the order in which they tell what was really served."""
    if mapped:
        return [(mapped.provider, mapped.model)]
    # Bedrock's request names the region's profile, on which the price hangs; its answer does not.
    names = (model, response_model) if seller == "aws" else (response_model, model)
    return [(seller, name) for name in names if name]


def _without_usage(call: LlmCall, tariff: Tariff) -> Cost:
    if tariff.terms.costs_no_tokens:
        return Cost(Decimal(0), "overridden", tariff.terms.label)
    if call.status.lower() in FAILED or (call.status.isdecimal() and int(call.status) >= 400):
        return Cost(Decimal(0), "estimated", "a failed call, assumed not billed", ("usage",))
    return Cost(None, "unknown", "the call did not tell its usage", ("usage",))


class _NameTooLong(ValueError):
    """Not looked up, and not remembered: lru_cache keeps no exceptions."""
