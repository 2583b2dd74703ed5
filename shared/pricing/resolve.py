"""From the names in a call to the terms it is priced on, on any day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain

from shared.pricing.listed import Listed, Listing, midnight
from shared.pricing.names import STANDARD, seller_of, spellings, tier_of
from shared.pricing.overrides import Entry, Overrides, Price
from shared.pricing.tariff import Terms

MAX_NAME = 256

Names = tuple[str, str, str | None, str | None, str | None]
"""Provider, model, response model, deployment and service tier, as they were sent."""

Spelling = tuple[str, str]
"""Provider and model, as a price list may have them."""


class NameTooLong(ValueError):
    """It is not looked up, so that no caller can make us remember it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the names in a call may mean: every model of the list, and the operator's entries.

    spellings: of the model that the call itself names, likeliest first.
    listed: every spelling, of that model or of the deployment's, that the list knows.
    """

    deployment: str
    tier: str
    spellings: Sequence[Spelling]
    listed: Mapping[Spelling, Listed]
    overrides: Overrides
    list_name: str

    def terms(self, at: datetime) -> Terms:
        """Return what decides the price of such a call at that moment."""
        day = at.astimezone(UTC).date()
        mapped = self.overrides.deployment(self.deployment, day)
        spelled = list(spellings(mapped.provider, mapped.model)) if mapped else self.spellings
        spelling, prices = self._priced(spelled, day)
        sku = self.overrides.sku(mapped.sku if mapped else "global", day)
        label = "/".join(spelling)
        return Terms(
            label=f"deployment {mapped.name}: {label}" if mapped else label,
            list_name=self.list_name,
            listed=self.listed.get(spelling),
            of_model=prices,
            of_deployment=self.overrides.prices_of((self.deployment,), day),
            sku=sku,
            tier=STANDARD if sku.name.endswith(f"-{self.tier}") else self.tier,
        )

    def starts(self) -> Sequence[float]:
        """Return the moments (POSIX, ascending) at which the terms or the list's prices change."""
        days = {day for entry in self._entries() for day in (entry.from_, entry.to) if day}
        listed = (found.starts(self.tier) for found in self.listed.values())
        return sorted({midnight(day) for day in days - {date.min}}.union(*listed))

    def times_of_day(self) -> Sequence[float]:
        """Return the seconds after midnight UTC, ascending, at which a price changes daily."""
        listed = (found.times_of_day(self.tier) for found in self.listed.values())
        return sorted(set[float]().union(*listed))

    def _priced(self, spelled: Sequence[Spelling], day: date) -> tuple[Spelling, Sequence[Price]]:
        """Return the first spelling that the operator prices, else that the list does; and how."""
        for spelling in spelled:
            if prices := self._overridden(spelling, day):
                return spelling, prices
        return next((spelling for spelling in spelled if spelling in self.listed), spelled[0]), ()

    def _overridden(self, spelling: Spelling, day: date) -> Sequence[Price]:
        """An entry for "gpt-4o" is one for its dated names too, where they have none."""
        prices = self.overrides.prices_of(spelling, day)
        if prices or spelling not in self.listed:
            return prices
        listed_as = self.listed[spelling].model.id.lower()
        return self.overrides.prices_of((spelling[0], listed_as), day)

    def _entries(self) -> Sequence[Entry]:
        """Return what the operator says of any of the names."""
        deployments = self.overrides.deployments_named(self.deployment)
        skus = {entry.sku for entry in deployments}
        ids = ((provider, found.model.id.lower()) for (provider, _), found in self.listed.items())
        targets = (spellings(entry.provider, entry.model) for entry in deployments)
        subjects = {*self.spellings, *self.listed, *ids, *chain(*targets), (self.deployment,)}
        return [
            *deployments,
            *(sku for sku in self.overrides.skus if sku.name in skus),
            *(price for price in self.overrides.prices if price.priced in subjects),
        ]


def meaning(names: Names, overrides: Overrides, listing: Listing) -> Meaning:
    """Return what the names may mean.

    Raises:
        NameTooLong: one of them is over MAX_NAME characters.
    """
    if max(len(name) for name in names if name) > MAX_NAME:
        raise NameTooLong(f"a name is over {MAX_NAME} characters and was not looked up")
    provider, model, response_model, deployment, service_tier = names
    seller, bare = seller_of(provider, model)
    # Azure's clients send the deployment's name as the model.
    name = (deployment or (bare if seller == "azure" else "")).strip().lower()
    spelled = _served(seller, bare, response_model)
    of_deployment = chain(
        *(spellings(d.provider, d.model) for d in overrides.deployments_named(name))
    )
    found = {each: listing.find(*each) for each in (*spelled, *of_deployment)}
    return Meaning(
        deployment=name,
        tier=tier_of(service_tier),
        spellings=spelled,
        listed={each: listed for each, listed in found.items() if listed},
        overrides=overrides,
        list_name=listing.name,
    )


def _served(seller: str, model: str, response_model: str | None) -> Sequence[Spelling]:
    """Return the spellings of what was served: the answer tells it better than the request."""
    # Bedrock's request names the region's profile, on which the price hangs; its answer does not.
    names = (model, response_model) if seller == "aws" else (response_model, model)
    return [each for name in names if name for each in spellings(seller, name)] or [(seller, "")]
