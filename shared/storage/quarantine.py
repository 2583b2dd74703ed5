"""Sets rows that cannot be read aside, where a person sees and removes them: all others go on."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from shared.errors import AgentmeterError
from shared.storage.packing import text_of_key, unpacked
from shared.storage.rows import EVERY, Change, Conflict, Delete, Put, Row, Rows, prefix
from shared.store_ports import Unreadable

_ASIDE: Final = "x:"
_ID_CHARS = 12
_KINDS: Final = {"o": "page", "r": "record"}
"""What a row of a rule is by the first letter of its key."""
SILENCES: Final = "silences"
"""The partition of silences, in a table of their own."""
_COPIES: Final = "unreadable"

logger = logging.getLogger(__name__)
Kept = TypeVar("Kept")
Read = TypeVar("Read", covariant=True)


class Reads(Protocol[Read]):
    """Reads one stored value."""

    def read(self, text: str, /) -> tuple[Read, list[str]]:
        """Return it, and what of it is lost. Raises ValueError where it cannot be read."""
        ...


class Quarantine:
    """Rows `x:<key>` beside those that they were."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def readable(self, kind: Reads[Kept], rows: Iterable[Row]) -> list[Kept]:
        """Return what can be read, each by itself. What cannot is moved aside; of what can in part,
        a copy is."""
        found: list[Kept] = []
        for row in rows:
            try:
                value, lost = kind.read(unpacked(row))
            except ValueError as exc:
                why = f"it cannot be read ({type(exc).__name__})"
                self._aside(row, why, [Delete(row.key, row.etag)])
                continue
            if lost:
                self._aside(row, f"lost: {', '.join(lost)}", [])
            found.append(value)
        return found

    def _aside(self, row: Row, why: str, others: Sequence[Change]) -> None:
        """Keep the row for a person. One that cannot be kept stays where it is."""
        of = _of(row)
        logger.error("%s of %s: %s", row.key, of, why)
        kept = Put(f"{_ASIDE}{row.key}", {**row.fields, "of": of, "why": why})
        try:
            self._rows.commit(row.partition, [kept, *others])
        except (Conflict, AgentmeterError) as exc:
            logger.warning("%s of %s was not quarantined: %s", row.key, of, exc)


class Copies:
    """Rows of other tables that cannot be read: each is passed over, and a copy kept here."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._seen: set[tuple[str, str]] = set()

    def attempt(self, read: Callable[[Row], Kept], row: Row) -> Kept | None:
        """Return what the row holds, None where it cannot be read. The log says so once."""
        try:
            return read(row)
        except ValueError as exc:
            if (place := (row.partition, row.key)) not in self._seen:
                self._seen.add(place)
                self._keep(row, f"it cannot be read ({type(exc).__name__})")
            return None

    def _keep(self, row: Row, why: str) -> None:
        of = f"{row.partition}/{row.key}"
        logger.error("Row %s: %s. It is left out.", of, why)
        name = hashlib.sha256(of.encode()).hexdigest()[:32]
        try:
            kept = Put(f"{_ASIDE}{name}", {**row.fields, "of": of, "why": why})
            self._rows.commit(_COPIES, [kept])
        except AgentmeterError as exc:
            logger.warning("No copy of row %s was kept: %s", of, exc)


class SetAside:
    """What the quarantines of these tables hold; fits store_ports.SetAside."""

    def __init__(self, *tables: Rows) -> None:
        self._tables = tables

    def listed(self) -> Sequence[Unreadable]:
        """Return what was set aside, by rule, then by silence."""
        return [
            Unreadable(_id(row), _kind(row), row.text("of"), row.text("why"))
            for rows in self._tables
            for row in rows.query(EVERY, prefix(_ASIDE), "of", "why")
        ]

    def discard(self, id: str) -> bool:
        """Remove what has this id; return whether there was something."""
        for rows in self._tables:
            for row in rows.query(EVERY, prefix(_ASIDE), "of"):
                if _id(row) == id:
                    rows.commit(row.partition, [Delete(row.key)])
                    return True
        return False


def is_aside(row: Row) -> bool:
    """Return whether the row is kept for a person alone."""
    return row.key.startswith(_ASIDE)


def _of(row: Row) -> str:
    """Return what the row belongs to: a rule's key, or a silence."""
    if row.partition == SILENCES:
        return f"silence {text_of_key(row.key)}"
    return text_of_key(row.partition)


def _kind(row: Row) -> str:
    named = {SILENCES: "silence", _COPIES: "row"}.get(row.partition)
    return named or _KINDS[row.key[len(_ASIDE)]]


def _id(row: Row) -> str:
    return hashlib.sha256(f"{row.partition}/{row.key}".encode()).hexdigest()[:_ID_CHARS]
