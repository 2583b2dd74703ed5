"""Rows in partitions: the one port of state, with the limits of Azure Tables in every driver."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from shared.errors import AgentmeterError

Value = str | int | bool | bytes
Fields = Mapping[str, Value]
ANY_STATE = "*"
"""The etag of a change that is made whatever the row holds, as long as it is there."""

ATTEMPTS = 8
"""How often a store tries a change because others were faster, before it raises RetryLater."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read. etag: names this state of it, for Replace, Merge and Delete."""

    partition: str
    key: str
    fields: Mapping[str, Value]
    etag: str

    def text(self, field: str) -> str:
        """Return a field that holds text, "" where the row has none."""
        return str(self.fields.get(field, ""))

    def number(self, field: str) -> int:
        """Return a field that holds a whole number, 0 where the row has none."""
        return int(self.fields.get(field, 0))


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert the row; a conflict where it is there."""

    key: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Put:
    """Insert the row, or replace it, whatever it was."""

    key: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the row; a conflict where it is gone, or not what it was."""

    key: str
    fields: Fields
    etag: str = ANY_STATE


@dataclass(frozen=True, slots=True)
class Merge:
    """Change these fields of the row and keep the others; a conflict as of Replace."""

    key: str
    fields: Fields
    etag: str = ANY_STATE


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the row; a conflict where it is gone, or not what it was."""

    key: str
    etag: str = ANY_STATE


Change = Insert | Put | Replace | Merge | Delete


class Transaction(NamedTuple):
    """Changes of one partition that are made together or not at all."""

    partition: str
    changes: Sequence[Change]


class Range(NamedTuple):
    """Texts with start <= text < end; end "": every later one."""

    start: str = ""
    end: str = ""


EVERY = Range()
Within = str | Range
"""Exactly this text, or any of the range."""


def prefix(text: str) -> Range:
    """Return the range of all texts that begin so."""
    return Range(text, text[:-1] + chr(ord(text[-1]) + 1))


class Conflict(AgentmeterError):
    """A row of the transaction is there already, is gone or has changed; nothing was written."""


class Rows(Protocol):
    """One table of rows.

    Every method may raise:
        RetryLater: the store did not answer, or asked us to wait.
        Misconfigured: it refused us.
        GiveUp: it will never take what was asked (shared.storage.limits).
    """

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        """Return the row with these fields (none named: all), None where there is none."""
        ...

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        """Return the row at each (partition, key), as get()."""
        ...

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        """Yield the rows of these partitions and keys, by partition and key.

        Rows that others change meanwhile may come as they were or as they are.
        """
        ...

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        """Return the rows of each partition and its keys, as query()."""
        ...

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        """Make all of the changes, or none.

        Raises:
            Conflict: a row to insert is there, or one to change is gone or not what it was.
            RetryLater: the store did not answer; all of the changes were made, or none.
        """
        ...

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        """Commit each of the transactions by itself; return for each whether it was made, False
        for a conflict.

        Raises:
            RetryLater: the store did not answer for some of them.
        """
        ...


class Database(Protocol):
    """Every table of one store."""

    def table(self, name: str) -> Rows:
        """Return the table by that name, which is made when it is first written to."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...


def commit_present(rows: Rows, partition: str, changes: Sequence[Change]) -> int:
    """Change or delete those of the rows that are there; return how many those were.

    changes: as many as one transaction holds.
    """
    try:
        rows.commit(partition, changes)
    except Conflict:
        half = len(changes) // 2
        halves = (changes[:half], changes[half:]) if half else ()
        return sum(commit_present(rows, partition, part) for part in halves)
    return len(changes)
