"""List prices: genai-prices read as plain sheets, without its process-wide state and caches."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

from shared.events.providers import key
from shared.pricing.names import STANDARD, sells_alike
from shared.pricing.rates import Sheet
from shared.units import RATES

if TYPE_CHECKING:
    from genai_prices.types import (
        ModelInfo,
        ModelPrice,
        PriceVariant,
        Provider,
        StartDateConstraint,
        TieredPrices,
        TimeOfDateConstraint,
    )

NAMES: Mapping[str, str] = {unit.listed: rate for rate, unit in RATES.items()}
"""The list's name of a rate → ours. It has fifty more, of what no event can count: left out, they
change nothing, as tests/unit/test_pricing_whole_list.py shows against the list's own arithmetic."""

UNCOUNTED: Mapping[str, tuple[str, str]] = {
    "input_image_mtok": ("image_input_tokens", "input_mtok"),
    "input_video_mtok": ("video_input_tokens", "input_mtok"),
    "output_image_mtok": ("image_output_tokens", "output_mtok"),
    "output_video_mtok": ("video_output_tokens", "output_mtok"),
    "audio_hours": ("audio_hours", ""),
    "output_citation_mtok": ("citation_tokens", ""),
    "input_text_messages_kcount": ("text_messages", ""),
}
"""Rates of the list → what a call of such a model may have used without counting it, as it is named
in `missing`, and the rate that it was charged at then ("": at nothing)."""
VOICE = "output_audio_mtok"
"""A model that speaks is shown images seldom, but nearly always spoken to."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of the price list, sold by a provider.

    maker: whose list it stands in. Where that is not the provider's own, the price is the maker's,
        and what the maker asks for its service tiers says nothing.
    """

    provider: "Provider"
    model: "ModelInfo"
    maker: str

    @property
    def own(self) -> bool:
        """Return whether the provider lists it itself."""
        return self.maker == self.provider.id

    @property
    def is_borrowed(self) -> bool:
        """Return whether the price is another seller's, which no contract makes this one's."""
        return not self.own and not sells_alike(self.provider.id, self.maker, self.model.id)

    @property
    def label(self) -> str:
        """Name the model for a person: "azure/gpt-4o"."""
        return f"{self.provider.id}/{self.model.id}"

    @property
    def window(self) -> int:
        """Return how many tokens a call may have; 0 where the list does not say."""
        return self.model.context_window or 0

    def starts(self, tier: str) -> Sequence[float]:
        """Return the moments (POSIX, ascending) at which a new price came into force."""
        from genai_prices.types import StartDateConstraint

        found = self._constraints(tier)
        return sorted({midnight(c.start_date) for c in found if isinstance(c, StartDateConstraint)})

    def times_of_day(self, tier: str) -> Sequence[float]:
        """Return the seconds after midnight UTC, ascending, at which the price changes daily."""
        from genai_prices.types import TimeOfDateConstraint

        found = [c for c in self._constraints(tier) if isinstance(c, TimeOfDateConstraint)]
        return sorted({_seconds(end) for c in found for end in (c.start_time, c.end_time)})

    def has_tier(self, tier: str, at: datetime) -> bool:
        """Return whether the list has a price of its own for the tier."""
        return any(
            variant.constraint is None or variant.constraint.active(at)
            for variant in self._variants(tier)
        )

    def prices(self, tier: str, at: datetime) -> "ModelPrice":
        """Return the prices in force at that moment; those of the standard tier if it has none."""
        return self.model.get_prices(at, _context(tier) if self.has_tier(tier, at) else None)

    def sheet(self, tier: str, at: datetime, input_tokens: int) -> Sheet:
        """Return the sheet for a call of that size; empty where no token has a price."""
        found = {
            NAMES[name]: _rate_for(value, input_tokens)
            for name, value in _listed_in(self.prices(tier, at))
            if name in NAMES
        }
        if not found and self.model.id.endswith(":free"):
            return {"input": Decimal(0), "output": Decimal(0)}
        return found if "input" in found or "output" in found else {}

    def thresholds(self, tier: str, at: datetime) -> set[int]:
        """Return the input sizes, in tokens, above which a call has other rates."""
        return {
            step.start
            for _, value in _listed_in(self.prices(tier, at))
            if not isinstance(value, Decimal)
            for step in value.tiers
        }

    def uncounted(self, tier: str, at: datetime) -> Sequence[str]:
        """Name what a call may have used that the list prices otherwise than what it counts."""
        rates = dict(_listed_in(self.prices(tier, at)))
        names = [name for name in UNCOUNTED if name in rates]
        if VOICE in rates:
            names = [name for name in names if not name.startswith("input_")]
        return [
            UNCOUNTED[name][0] for name in names if rates[name] != rates.get(UNCOUNTED[name][1])
        ]

    def _variants(self, tier: str) -> "Sequence[PriceVariant]":
        context = _context(tier)
        return [
            variant
            for variant in self.model.price_variants or ()
            if self.own and all(context.get(name) == value for name, value in variant.when.items())
        ]

    def _constraints(
        self, tier: str
    ) -> "Iterator[StartDateConstraint | TimeOfDateConstraint | None]":
        if isinstance(self.model.prices, list):
            yield from (price.constraint for price in self.model.prices)
        yield from (variant.constraint for variant in self._variants(tier))


class Listing:
    """A price list; without providers of its own, the one that came with genai-prices, which is
    loaded when it is first asked."""

    def __init__(self, providers: "list[Provider] | None" = None, name: str = "") -> None:
        """name: which list it is, and of when, for a person."""
        self._given = providers
        self.name = name or f"genai-prices {version('genai-prices')}"

    def find(self, provider: str, model: str) -> Listed | None:
        """Return the model, or None. No caller can make this remember anything."""
        seller = self._providers.get(provider)
        if seller is None:
            return None
        found = seller.find_model(model, all_providers=self._all) or _by_id(seller, model)
        return found and Listed(seller, found, self._maker(seller, found))

    def models(self) -> "Mapping[str, ModelInfo]":
        """Return every model by "provider/model"."""
        return {
            f"{provider.id}/{model.id}": model
            for provider in self._all
            for model in provider.models
        }

    def _maker(self, seller: "Provider", model: "ModelInfo") -> str:
        lists = (seller, *self._all)
        return next(of.id for of in lists if any(model is listed for listed in of.models))

    @cached_property
    def _all(self) -> "list[Provider]":
        if self._given is not None:
            return self._given
        from genai_prices.data import providers  # a quarter of a second: not at a cold start

        return providers

    @cached_property
    def _providers(self) -> "Mapping[str, Provider]":
        return {key(provider.id): provider for provider in self._all}


def parse_listing(data: bytes, name: str) -> Listing:
    """Return the list in a file as genai-prices publishes it, found to answer.

    Raises:
        ValueError: it is none.
    """
    # Its own refresher calls this, and would then set the prices of the whole process.
    from genai_prices.types import _providers_from_raw  # pyright: ignore[reportPrivateUsage]

    try:
        providers = _providers_from_raw(json.loads(data))
        for provider in providers:
            provider.find_model("no such model", all_providers=providers)  # tries every pattern
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, re.error) as exc:
        raise ValueError(f"it is no price list: {type(exc).__name__}") from exc
    return Listing(providers, name)


def _by_id(seller: "Provider", model: str) -> "ModelInfo | None":
    """Some models' own ids are none of the names that the list matches them by."""
    return next((listed for listed in seller.models if listed.id.lower() == model), None)


def _context(tier: str) -> dict[str, str]:
    """Lists disagree about which of the three a tier is; no value is used by two of them."""
    return {} if tier == STANDARD else dict.fromkeys(("service_tier", "processing", "speed"), tier)


def _listed_in(prices: "ModelPrice") -> "Iterator[tuple[str, Decimal | TieredPrices]]":
    for name, value in vars(prices).items():
        if value is not None:
            yield name, value


def _rate_for(price: "Decimal | TieredPrices", input_tokens: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    passed = [step.price for step in price.tiers if input_tokens > step.start]
    return passed[-1] if passed else price.base


def midnight(day: date) -> float:
    """Return the moment (POSIX) at which the day begins, in UTC."""
    return datetime.combine(day, time(), UTC).timestamp()


def _seconds(moment: time) -> float:
    """The list writes an interval's ends as times of day, in UTC unless they say otherwise."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(date(1970, 1, 2), aware).timestamp() % 86_400
