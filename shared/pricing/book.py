"""Reads config/prices.toml."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import cast

from pydantic import ValidationError

from shared.errors import Misconfigured
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

TRUSTED = "trusted_providers"
TABLES: Mapping[str, type[Entry]] = {
    "price": PRICE,
    "deployment": Deployment,
    "sku": Sku,
    "fee": FEE,
    "alias": Alias,
    "doubt": Doubt,
}
REMEDY = "Mend what is named; docs/prices.md shows the form of each entry."

Document = Mapping[str, object]
Placed = tuple[str, AnyEntry]
"""An entry with where it stands, for a person: "line 12, [[price]] 3"."""


def read(text: str) -> Overrides:
    """Return what a prices.toml says.

    Raises:
        Misconfigured: names every wrong entry, with its line, and the remedy.
    """
    overrides, problems = judge(text)
    if problems:
        raise Misconfigured(f"prices.toml: {'; '.join(problems)}. {REMEDY}")
    return overrides


def judge(text: str) -> tuple[Overrides, list[str]]:
    """Return what is right in a prices.toml, and every problem with its line, entry and field.

    Raises:
        Misconfigured: it is no TOML.
    """
    document = parse(text)
    problems = [f"`{name}` is not known here" for name in document.keys() - {*TABLES, TRUSTED}]
    prices = _entries(document, text, "price", PRICE, problems)
    deployments = _entries(document, text, "deployment", Deployment, problems)
    skus = _entries(document, text, "sku", Sku, problems)
    fees = _entries(document, text, "fee", FEE, problems)
    aliases = _entries(document, text, "alias", Alias, problems)
    doubts = _entries(document, text, "doubt", Doubt, problems)
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
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as exc:
        reason = str(exc)
    raise Misconfigured(f"prices.toml is no TOML: {reason}. {REMEDY}")


def _entries(
    document: Document, text: str, table: str, kind: type[AnyEntry], problems: list[str]
) -> list[Placed[AnyEntry]]:
    """Return the table's entries that none corrects; add to the problems what is wrong."""
    entries: list[Placed[AnyEntry]] = []
    for place, row in _placed(document, text, table):
        try:
            entries.append((place, kind.model_validate(row)))
        except ValidationError as exc:
            problems += [
                f"{place}: {_reason(error['loc'], error['msg'])}" for error in exc.errors()
            ]
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


def _placed(document: Document, text: str, table: str) -> Iterator[tuple[str, object]]:
    header = re.compile(rf"^[ \t]*\[\[[ \t]*{table}[ \t]*\]\]", re.MULTILINE)
    lines = [text.count("\n", 0, found.start()) + 1 for found in header.finditer(text)]
    rows = rows_of(document, table)
    for number, row in enumerate(rows):
        line = f"line {lines[number]}, " if len(lines) == len(rows) else ""
        yield f"{line}[[{table}]] {number + 1}", row


def rows_of(document: Document, table: str) -> Sequence[object]:
    """Return the entries of a table, whatever they are."""
    rows = document.get(table, [])
    return cast(list[object], rows) if isinstance(rows, list) else [rows]


def _reason(where: Sequence[int | str], message: str) -> str:
    return f"{'.'.join(map(str, where))}: {message}" if where else message


def _trusted(document: Document, problems: list[str]) -> frozenset[str]:
    names = document.get(TRUSTED, [])
    if isinstance(names, list):
        listed = cast(list[object], names)
        if all(isinstance(name, str) for name in listed):
            return frozenset(provider_of(str(name)) for name in listed)
    problems.append(f'`{TRUSTED}` must be a list of names, such as ["openrouter"]')
    return frozenset()
