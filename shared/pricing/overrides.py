"""The operator's own prices: dated entries for models, deployments and SKUs."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)

from shared.events.providers import key, provider_of
from shared.pricing.names import STANDARD, tier_of
from shared.pricing.rates import Sheet
from shared.units import RATES, Usage

Subject = tuple[str, ...]
"""What an entry is about: entries of one subject follow each other in time."""

SKU_SPELLINGS = {
    "globalstandard": "global",
    "datazone": "data-zone",
    "datazonestandard": "data-zone",
    "standard": "regional",
    "provisionedmanaged": "provisioned",
    "globalprovisionedmanaged": "provisioned",
    "datazoneprovisionedmanaged": "provisioned",
    "globalbatch": "global-batch",
    "datazonebatch": "data-zone-batch",
}
"""As Azure itself writes them, in small letters."""


def _sku(name: object) -> object:
    return SKU_SPELLINGS.get(key(name), key(name)) if isinstance(name, str) else name


def _rate_class(name: str) -> str:
    if name not in RATES:
        raise ValueError(f"`{name}` is none of {', '.join(RATES)}")
    return name


def _usage_field(name: str) -> str:
    if name not in Usage.model_fields:
        raise ValueError(f"`{name}` is none of {', '.join(Usage.model_fields)}")
    return name


Word = Annotated[str, StringConstraints(min_length=1, max_length=256, strip_whitespace=True)]
Provider = Annotated[Word, BeforeValidator(lambda n: provider_of(n) if isinstance(n, str) else n)]
SkuName = Annotated[Word, BeforeValidator(_sku)]
Tier = Annotated[Word, BeforeValidator(lambda n: tier_of(n) if isinstance(n, str) else n)]
Lower = Annotated[Word, StringConstraints(to_lower=True)]
Rate = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
RateClass = Annotated[Word, AfterValidator(_rate_class)]
UsageField = Annotated[Word, AfterValidator(_usage_field)]


class Entry(BaseModel, ABC, frozen=True, extra="forbid"):
    """What every dated entry says.

    from_: the first day (UTC) it is in force. to: the first day it no longer is; without it, until
        a later entry of the same subject begins.
    source: where the figure comes from, so that a person can look it up again.
    corrects: it replaces the entry of the same subject and first day, which was wrong.
    """

    from_: date = Field(alias="from")
    to: date | None = None
    source: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    corrects: bool = False

    @model_validator(mode="after")
    def begins_before_it_ends(self) -> Self:
        """Refuse an interval without a day in it."""
        if self.to and self.to <= self.from_:
            raise ValueError("`to` must be a later day than `from`")
        return self

    @property
    @abstractmethod
    def subject(self) -> Subject:
        """Return what the entry is about."""
        ...

    def holds(self, day: date) -> bool:
        """Return whether the entry is in force on that day."""
        return self.from_ <= day and (self.to is None or day < self.to)


class Price(Entry, frozen=True):
    """Rates of a provider's model, or of one deployment; PRICE has the fields of the rates.

    over_input_tokens: for calls with more input only.
    """

    provider: Provider | None = None
    model: Lower | None = None
    deployment: Lower | None = None
    service_tier: Tier = STANDARD
    over_input_tokens: int = Field(0, ge=0)

    @model_validator(mode="after")
    def prices_one_thing(self) -> Self:
        """Refuse an entry that does not say what it prices, or gives no rate."""
        of_model = self.provider is not None and self.model is not None
        of_either = self.provider is not None or self.model is not None
        if of_model == (self.deployment is not None) or of_model != of_either:
            raise ValueError("name `provider` and `model`, or else `deployment` alone")
        if not self.sheet:
            raise ValueError(f"give at least one rate of {', '.join(RATES)}")
        return self

    @property
    def subject(self) -> Subject:
        """Return the model or deployment, the tier and the size of calls."""
        return (*self.priced, self.service_tier, str(self.over_input_tokens))

    @property
    def priced(self) -> Subject:
        """Return (provider, model) or (deployment,)."""
        return tuple(name for name in (self.provider, self.model, self.deployment) if name)

    @property
    def sheet(self) -> Sheet:
        """Return the rates that are given."""
        rates = {name: getattr(self, name) for name in RATES}
        return {name: rate for name, rate in rates.items() if rate is not None}


class Fee(Price, frozen=True):
    """What a router asks on top of the price of the model that it chose."""


_RATES = cast("dict[str, Any]", dict.fromkeys(RATES, (Rate, None)))
PRICE: type[Price] = create_model("Price", __base__=Price, **_RATES)
FEE: type[Fee] = create_model("Fee", __base__=Fee, **_RATES)
"""A price and a fee with a field for each rate of shared.units, in US dollars."""


class Alias(Entry, frozen=True):
    """The model that a provider's moving name stands for, from a day on."""

    provider: Provider
    name: Lower
    model: Lower

    @property
    def subject(self) -> Subject:
        """Return the provider and the moving name."""
        return (self.provider, self.name)


class Doubt(Entry, frozen=True):
    """A cost of a provider's models that the price of their tokens leaves out, or gets wrong.

    model: a name of the list, or a pattern with `*`. part: what it is called in `missing`; the
        doubt ends where the call counts it, if it is a field of Usage.
    where, above: a field of Usage; only calls that use more of it than so much are in doubt.
    unless: it ends too where one of these rates stands in a [[price]].
    """

    provider: Provider
    model: Lower
    part: Lower
    where: UsageField = ""
    above: int = Field(0, ge=0)
    unless: tuple[RateClass, ...] = ()

    @property
    def subject(self) -> Subject:
        """Return the models and the part of their cost that is in doubt."""
        return (self.provider, self.model, self.part)

    def is_about(self, spelling: Subject) -> bool:
        """Return whether (provider, model) is one of those models."""
        provider, model = spelling
        return provider == self.provider and fnmatchcase(model, self.model)


class Deployment(Entry, frozen=True):
    """What runs under a deployment's name, and the SKU that it is billed by."""

    name: Lower
    provider: Provider = "azure"
    model: Lower
    sku: SkuName = "global"

    @property
    def subject(self) -> Subject:
        """Return the deployment."""
        return (self.name,)


class Sku(Entry, frozen=True):
    """What a token costs under a SKU, as a multiple of the global list price; 0 where none does."""

    name: SkuName
    factor: Rate

    @property
    def subject(self) -> Subject:
        """Return the SKU."""
        return (self.name,)


def _built_in(name: str, factor: str, source: str) -> Sku:
    return Sku.model_validate(
        {
            "name": name,
            "factor": factor,
            "from": date.min,
            "source": f"Azure's price page: {source}",
        }
    )


SKUS = (
    _built_in("global", "1", "Global Standard is the list price"),
    _built_in("data-zone", "1.1", "Data Zone Standard is 10 % above Global"),
    _built_in("regional", "1.1", "Regional Standard is 10 % above Global"),
    _built_in("provisioned", "0", "throughput is paid by the hour, tokens cost nothing"),
    _built_in("global-batch", "0.5", "Global Batch is half of Global Standard"),
    _built_in("data-zone-batch", "0.55", "Data Zone Batch is half of Data Zone Standard"),
)

AnyEntry = TypeVar("AnyEntry", bound=Entry)


@dataclass(frozen=True, slots=True)
class Overrides:
    """The entries of a prices.toml that no other corrects, in its order, and whom it trusts."""

    prices: Sequence[Price] = ()
    deployments: Sequence[Deployment] = ()
    skus: Sequence[Sku] = SKUS
    fees: Sequence[Fee] = ()
    aliases: Sequence[Alias] = ()
    doubts: Sequence[Doubt] = ()
    trusted: frozenset[str] = frozenset()

    def prices_of(self, priced: Subject, day: date) -> Sequence[Price]:
        """Return what is in force for (provider, model) or (deployment,): one of each subject."""
        return in_force([price for price in self.prices if price.priced == priced], day)

    def deployments_named(self, name: str) -> Sequence[Deployment]:
        """Return the entries of any day for a deployment, which is named in small letters."""
        return [entry for entry in self.deployments if entry.name == name]

    def deployment(self, name: str, day: date) -> Deployment | None:
        """Return what runs under that name on that day, if the file says so."""
        return next(iter(in_force(self.deployments_named(name), day)), None)

    def fees_on(self, priced: Subject, day: date) -> Sequence[Fee]:
        """Return what (provider, model) asks on top, of any size and tier of calls."""
        return in_force([fee for fee in self.fees if fee.priced == priced], day)

    def doubts_about(self, spellings: Collection[Subject], day: date) -> Sequence[Doubt]:
        """Return what is in doubt about any of the spellings (provider, model)."""
        about = [doubt for doubt in self.doubts if any(map(doubt.is_about, spellings))]
        return in_force(about, day)

    def aliases_of(self, spelling: Subject) -> Sequence[Alias]:
        """Return what (provider, name) stands for on any day, the first first."""
        found = [alias for alias in self.aliases if alias.subject == spelling]
        return sorted(found, key=lambda alias: alias.from_)

    def sku(self, name: str, day: date) -> Sku:
        """Return what the SKU costs on that day; before its first entry, what that one says."""
        entries = [sku for sku in self.skus if sku.name == name]
        return (in_force(entries, day) or entries)[0]


def in_force(entries: Iterable[AnyEntry], day: date) -> Sequence[AnyEntry]:
    """Return of each subject the entry that began last and has not ended."""
    latest: dict[Subject, AnyEntry] = {}
    for entry in sorted(entries, key=lambda entry: entry.from_):
        if entry.holds(day):
            latest[entry.subject] = entry
    return list(latest.values())
