"""Reads config/prices.toml."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import ValidationError

from shared.events.providers import provider_of
from shared.pricing.overrides import (
    FEE,
    PRICE,
    SKUS,
    Alias,
    AnyEntry,
    Deployment,
    Doubt,
    Entry,
    Overrides,
    Sku,
)
from shared.toml_file import Document, Location

TRUSTED = "trusted_providers"
TABLES: Mapping[str, type[Entry]] = {
    "price": PRICE,
    "deployment": Deployment,
    "sku": Sku,
    "fee": FEE,
    "alias": Alias,
    "doubt": Doubt,
}
REMEDY = "docs/prices.md shows the form of each entry."

Placed = tuple[str, AnyEntry]
"""An entry with where it stands, for a person: "line 12, [[price]] 3"."""


def read(text: str) -> Overrides:
    """Return what a prices.toml says.

    Raises:
        Misconfigured: names every wrong entry, with its line, and the remedy.
    """
    overrides, problems = judge(text)
    if problems:
        raise parse(text).refusal(problems)
    return overrides


def judge(text: str) -> tuple[Overrides, list[str]]:
    """Return what is right in a prices.toml, and every problem with its line, entry and field.

    Raises:
        Misconfigured: it is no TOML.
    """
    document = parse(text)
    problems = [
        f"{document.place((name,))} is not known here; correct its name, or remove it"
        for name in document.said
        if name not in {*TABLES, TRUSTED}
    ]
    prices = _entries(document, "price", PRICE, problems)
    deployments = _entries(document, "deployment", Deployment, problems)
    skus = _entries(document, "sku", Sku, problems)
    fees = _entries(document, "fee", FEE, problems)
    aliases = _entries(document, "alias", Alias, problems)
    doubts = _entries(document, "doubt", Doubt, problems)
    known = {sku.name for sku in SKUS} | {sku.name for _, sku in skus}
    problems += [
        f"{place}: sku `{entry.sku}` is none of {', '.join(sorted(known))}"
        for place, entry in deployments
        if entry.sku not in known
    ]
    overrides = Overrides(
        prices=[entry for _, entry in prices],
        deployments=[entry for _, entry in deployments],
        skus=[*SKUS, *(entry for _, entry in skus)],
        fees=[entry for _, entry in fees],
        aliases=[entry for _, entry in aliases],
        doubts=[entry for _, entry in doubts],
        trusted=_trusted(document, problems),
    )
    return overrides, problems


def parse(text: str) -> Document:
    """Return the TOML as it stands, amounts exact.

    Raises:
        Misconfigured: it is no TOML.
    """
    return Document(text, "prices.toml", REMEDY)


def _entries(
    document: Document, table: str, kind: type[AnyEntry], problems: list[str]
) -> list[Placed[AnyEntry]]:
    """Return the table's entries that none corrects; add to the problems what is wrong."""
    entries: list[Placed[AnyEntry]] = []
    for number, row in enumerate(rows_of(document, table)):
        at: Location = (table, number)
        try:
            entries.append((document.place(at), kind.model_validate(row)))
        except ValidationError as exc:
            problems += document.faults(exc, at)
    valid = _corrected(entries, problems)
    problems += _overlaps(valid)
    return valid


def _corrected(entries: Sequence[Placed[AnyEntry]], problems: list[str]) -> list[Placed[AnyEntry]]:
    valid: list[Placed[AnyEntry]] = []
    for place, entry in entries:
        wrong = [old for old in valid if _same_day(old[1], entry)] if entry.corrects else []
        if entry.corrects and not wrong:
            problems.append(f"{place}: corrects no earlier entry that is from {entry.from_}")
        valid = [old for old in valid if old not in wrong] + [(place, entry)]
    return valid


def _same_day(one: Entry, other: Entry) -> bool:
    return (one.subject, one.from_) == (other.subject, other.from_)


def _overlaps(entries: Sequence[Placed[AnyEntry]]) -> Iterator[str]:
    """An entry without an end may be followed; one with an end keeps its days to itself."""
    for number, (place, one) in enumerate(entries):
        for later_place, other in entries[number + 1 :]:
            first, second = sorted((one, other), key=lambda entry: entry.from_)
            if one.subject == other.subject and (
                first.from_ == second.from_ or (first.to is not None and second.from_ < first.to)
            ):
                yield f"{later_place} overlaps {place}: both hold on {second.from_}"


def rows_of(document: Document, table: str) -> Sequence[object]:
    """Return the entries of a table, whatever they are."""
    rows = document.said.get(table, [])
    return cast(list[object], rows) if isinstance(rows, list) else [rows]


def _trusted(document: Document, problems: list[str]) -> frozenset[str]:
    names = document.said.get(TRUSTED, [])
    if isinstance(names, list):
        listed = cast(list[object], names)
        if all(isinstance(name, str) for name in listed):
            return frozenset(provider_of(str(name)) for name in listed)
    problems.append(f'{document.place((TRUSTED,))} must be a list of names, such as ["openrouter"]')
    return frozenset()
