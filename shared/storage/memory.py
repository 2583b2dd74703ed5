"""Rows that live as long as the process: for replay and tests, exact and safe in threads."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from threading import Lock

from shared.storage.limits import check
from shared.storage.rows import (
    ANY_STATE,
    EVERY,
    Change,
    Conflict,
    Delete,
    Fields,
    Insert,
    Merge,
    Put,
    Row,
    Rows,
    Transaction,
    Within,
)


class _Partition:
    """The rows of a partition by key, and their keys in order."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.keys: list[str] = []

    def set(self, row: Row) -> None:
        """Store the row in place of what has its key."""
        if row.key not in self.rows:
            insort(self.keys, row.key)
        self.rows[row.key] = row

    def drop(self, key: str) -> None:
        """Delete the row of that key."""
        del self.rows[key]
        del self.keys[bisect_left(self.keys, key)]


class MemoryRows:
    """A table in dicts; fits rows.Rows."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._partitions: dict[str, _Partition] = {}
        self._etags = map(str, count(1))

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        """Return the row with these fields, None where there is none."""
        (row,) = self.get_each([(partition, key)], *fields)
        return row

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        """Return the row at each (partition, key)."""
        with self._lock:
            found = [self._row(partition, key) for partition, key in places]
        return [row and selected(row, fields) for row in found]

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        """Yield the rows of these partitions and keys, as they are at the first of them."""
        with self._lock:
            found = [
                partition.rows[key]
                for name in _within(sorted(self._partitions), partitions)
                for partition in [self._partitions[name]]
                for key in _within(partition.keys, keys)
            ]
        yield from (selected(row, fields) for row in found)

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        """Return the rows of each partition and its keys."""
        return [list(self.query(*place)) for place in places]

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        """Make all of the changes, or none; raises Conflict."""
        check(partition, changes)
        with self._lock:
            after = [changed(self._row(partition, change.key), change) for change in changes]
            stored = self._partitions.setdefault(partition, _Partition())
            for change, fields in zip(changes, after, strict=True):
                if fields is None:
                    stored.drop(change.key)
                else:
                    stored.set(Row(partition, change.key, fields, next(self._etags)))

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        """Commit each of the transactions by itself; return for each whether it was made."""

        def made(one: Transaction) -> bool:
            try:
                self.commit(one.partition, one.changes)
            except Conflict:
                return False
            return True

        return [made(one) for one in transactions]

    def _row(self, partition: str, key: str) -> Row | None:
        stored = self._partitions.get(partition)
        return stored and stored.rows.get(key)


class MemoryDatabase:
    """Tables in a dict; fits rows.Database."""

    def __init__(self) -> None:
        self._tables: dict[str, MemoryRows] = {}

    def table(self, name: str) -> Rows:
        """Return the table by that name."""
        return self._tables.setdefault(name, MemoryRows())

    def close(self) -> None:
        """Do nothing: the rows live with the database."""


def changed(stored: Row | None, change: Change) -> Fields | None:
    """Return what the change leaves of the row, None for nothing.

    Raises:
        Conflict: the row is there already, is gone or has changed.
    """
    match change:
        case Put(fields=fields):
            return fields
        case Insert(fields=fields):
            if stored is not None:
                raise Conflict(f"Row {change.key} is there already.")
            return fields
        case _:
            if stored is None or change.etag not in (ANY_STATE, stored.etag):
                raise Conflict(f"Row {change.key} is gone or has changed.")
            if isinstance(change, Delete):
                return None
            return (
                {**stored.fields, **change.fields} if isinstance(change, Merge) else change.fields
            )


def selected(row: Row, fields: Iterable[str]) -> Row:
    """Return the row with these fields alone, with all where none is named."""
    if not (names := tuple(fields)):
        return row
    some: Mapping[str, str | int | bool | bytes] = {
        name: row.fields[name] for name in names if name in row.fields
    }
    return Row(row.partition, row.key, some, row.etag)


def _within(texts: Sequence[str], wanted: Within) -> Sequence[str]:
    """Return those of the sorted texts that are wanted."""
    if isinstance(wanted, str):
        at = bisect_left(texts, wanted)
        return texts[at : at + 1] if texts[at : at + 1] == [wanted] else []
    end = bisect_left(texts, wanted.end) if wanted.end else len(texts)
    return texts[bisect_left(texts, wanted.start) : end]
