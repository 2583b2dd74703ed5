"""Holds config/prices.toml to its released entries: they have priced calls, and stay as they were.

config/prices.lock has a line for each released entry, in the order of the file.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import cast

from shared.pricing.book import TABLES, parse, rows_of
from shared.toml_file import Document

HEAD = """\
# What was released of prices.toml, a line for each entry.
# Written by `bin/ops check --release`; never edited: docs/prices.md says how to correct.
"""
DIGITS = 32


def lock_of(text: str) -> str:
    """Return the lock of a prices.toml of which every entry is released.

    Raises:
        Misconfigured: it is no TOML.
    """
    return HEAD + "".join(f"{line}\n" for line in _lines(parse(text)))


def rewritten(lock: str, text: str) -> list[str]:
    """Name the released entries that the text changes, drops or moves.

    lock: of the released edition, "" for none. Whom to trust is no entry and may change.
    Raises:
        Misconfigured: the text is no TOML.
    """
    present = "\n".join(_lines(parse(text)))
    return [
        problem
        for table in TABLES
        for problem in _missing(_of(table, lock), [line[:DIGITS] for line in _of(table, present)])
    ]


def unreleased(lock: str, text: str) -> int:
    """Count the entries that are in the text and not in the lock. Raises as rewritten()."""
    released = {line[:DIGITS] for line in lock.splitlines()}
    return sum(line[:DIGITS] not in released for line in _lines(parse(text)))


def _missing(released: list[str], digests: list[str]) -> Iterator[str]:
    rest = iter(digests)
    for line in released:
        # `in` reads the iterator up to the entry, so that the next must come after it.
        if line[:DIGITS] not in rest:
            rest = iter(digests)
            yield (
                f"{line[DIGITS:].strip()} was released, and has been changed, moved or dropped. "
                "Put it back, and append one (with `corrects = true` where it was wrong)."
            )


def _of(table: str, lock: str) -> list[str]:
    return [line for line in lock.splitlines() if f" [[{table}]] " in line]


def _lines(document: Document) -> Iterator[str]:
    for table in TABLES:
        for number, row in enumerate(rows_of(document, table), 1):
            written = json.dumps(row, sort_keys=True, default=str)
            digest = hashlib.sha256(written.encode()).hexdigest()[:DIGITS]
            yield f"{digest} [[{table}]] {number} {_subject(row)}".rstrip()


def _subject(row: object) -> str:
    """Name the entry for a person: "openai/gpt-4o from 2026-01-01"."""
    fields = cast(dict[str, object], row) if isinstance(row, dict) else {}
    names = "/".join(
        str(fields[n]) for n in ("provider", "model", "deployment", "name") if n in fields
    )
    return " ".join(f"{names} from {fields.get('from', '?')}".split())
