"""From the names in a call to the terms it is priced on, on any day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain

from shared.pricing.listed import Listed, Listing, midnight
from shared.pricing.names import STANDARD, is_moving, seller_or_guess, spellings, tier_of
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

    requested: what the call itself asks for, as it was sent but for its prefix.
    spellings: of what it asks for and of what answered, likeliest first.
    listed: every spelling that the list knows: of those, of the deployment's, of aliases' models.
    guesses: what the names leave open, as it is called in `missing`.
    """

    requested: Spelling
    deployment: str
    tier: str
    spellings: Sequence[Spelling]
    listed: Mapping[Spelling, Listed]
    guesses: tuple[str, ...]
    overrides: Overrides
    list_name: str

    def terms(self, at: datetime) -> Terms:
        """Return what decides the price of such a call at that moment."""
        day = at.astimezone(UTC).date()
        mapped = self.overrides.deployment(self.deployment, day)
        asked = (mapped.provider, mapped.model) if mapped else self.requested
        fees = self.overrides.fees_on(asked, day)
        spelled = list(spellings(*asked)) if mapped and not fees else self.spellings
        spelling, prices = self._priced(spelled, day)
        listed, alias = self._stands_for(spelling, day)
        label = "/".join(spelling) + (f" ({alias})" if alias else "")
        sku = self.overrides.sku(mapped.sku if mapped else "global", day)
        return Terms(
            label=f"deployment {mapped.name}: {label}" if mapped else label,
            list_name=self.list_name,
            listed=listed,
            of_model=prices,
            of_deployment=self.overrides.prices_of((self.deployment,), day),
            fees=fees,
            doubts=self.overrides.doubts_about([asked, *self._names(spelling, day)], day),
            guesses=() if mapped else self._guesses(spelling, listed, day),
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
        listed = (spelling for spelling in spelled if self._stands_for(spelling, day)[0])
        return next(listed, spelled[0]), ()

    def _overridden(self, spelling: Spelling, day: date) -> Sequence[Price]:
        """An entry for "gpt-4o" is one for its dated names too, where they have none."""
        found = (self.overrides.prices_of(name, day) for name in self._names(spelling, day))
        return next(filter(None, found), ())

    def _names(self, spelling: Spelling, day: date) -> Sequence[Spelling]:
        """Return what else the operator may call the model, its own spelling first."""
        listed, alias = self._stands_for(spelling, day)
        names = (spelling[1], alias, listed.model.id.lower() if listed else "")
        return [(spelling[0], name) for name in names if name]

    def _stands_for(self, spelling: Spelling, day: date) -> tuple[Listed | None, str]:
        """Return the model of the list, and which one that is where the name moves."""
        begun = [each for each in self.overrides.aliases_of(spelling) if each.from_ <= day]
        if not begun:
            return self.listed.get(spelling), ""
        return self.listed.get((spelling[0], begun[-1].model)), begun[-1].model

    def _guesses(self, spelling: Spelling, listed: Listed | None, day: date) -> tuple[str, ...]:
        """Doubt a guessed seller, and a moving name of which no entry says where it stands."""
        if self.overrides.prices_of(spelling, day):
            return ()
        aliases = [each for each in self.overrides.aliases_of(spelling) if each.from_ <= day]
        if aliases:
            return self.guesses if aliases[-1].holds(day) else (*self.guesses, "alias")
        is_guess = listed and is_moving(spelling[1]) and not is_moving(listed.model.id)
        return (*self.guesses, "alias") if is_guess else self.guesses

    def _entries(self) -> Sequence[Entry]:
        """Return what the operator says of any of the names."""
        deployments = self.overrides.deployments_named(self.deployment)
        skus = {entry.sku for entry in deployments}
        ids = ((provider, found.model.id.lower()) for (provider, _), found in self.listed.items())
        asked = {self.requested, *((entry.provider, entry.model) for entry in deployments)}
        targets = (spellings(*names) for names in asked)
        subjects = {*self.spellings, *self.listed, *ids, *chain(*targets), *asked}
        return [
            *deployments,
            *(sku for sku in self.overrides.skus if sku.name in skus),
            *(alias for alias in self.overrides.aliases if alias.subject in subjects),
            *(doubt for doubt in self.overrides.doubts if any(map(doubt.is_about, subjects))),
            *(fee for fee in self.overrides.fees if fee.priced in subjects),
            *(
                price
                for price in self.overrides.prices
                if price.priced in {*subjects, (self.deployment,)}
            ),
        ]


def meaning(names: Names, overrides: Overrides, listing: Listing) -> Meaning:
    """Return what the names may mean.

    Raises:
        NameTooLong: one of them is over MAX_NAME characters.
    """
    if max(len(name) for name in names if name) > MAX_NAME:
        raise NameTooLong(f"a name is over {MAX_NAME} characters and was not looked up")
    provider, model, response_model, deployment, service_tier = names
    seller, bare, is_guess = seller_or_guess(provider, model)
    # Azure's clients send the deployment's name as the model.
    name = (deployment or (bare if seller == "azure" else "")).strip().lower()
    spelled = _served(seller, bare, response_model)
    of_deployment = chain(
        *(spellings(d.provider, d.model) for d in overrides.deployments_named(name))
    )
    wanted = {*spelled, *of_deployment}
    wanted |= {(each[0], alias.model) for each in wanted for alias in overrides.aliases_of(each)}
    found = {each: listing.find(*each) for each in wanted}
    return Meaning(
        requested=(seller, bare.strip().lower()),
        deployment=name,
        tier=tier_of(service_tier),
        spellings=spelled,
        listed={each: listed for each, listed in found.items() if listed},
        guesses=("provider",) if is_guess else (),
        overrides=overrides,
        list_name=listing.name,
    )


def _served(seller: str, model: str, response_model: str | None) -> Sequence[Spelling]:
    """Return the spellings of what was served: the answer knows it better than the request."""
    # Bedrock's request names the region's profile, on which the price hangs; its answer does not.
    names = (model, response_model) if seller == "aws" else (response_model, model)
    return [each for name in names if name for each in spellings(seller, name)] or [(seller, "")]
