"""Rows in one SQLite file: the laptop's storage, shared by threads and processes."""

import json
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import getrandbits
from threading import Lock

from shared.errors import Misconfigured, RetryLater
from shared.storage.limits import check
from shared.storage.memory import changed, selected
from shared.storage.rows import (
    EVERY,
    Change,
    Conflict,
    Fields,
    Insert,
    Row,
    Rows,
    Transaction,
    Value,
    Within,
)

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}
_TABLE = """CREATE TABLE IF NOT EXISTS {} (
    part TEXT, key TEXT, fields TEXT NOT NULL, data BLOB, etag INTEGER NOT NULL,
    PRIMARY KEY (part, key)
) WITHOUT ROWID"""
_PART = 1_000
"""Rows that a query reads before it lets writers in."""


class SqliteDatabase:
    """An open file; fits rows.Database. One connection behind a lock: SQLite lets one writer in at
    a time anyway."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = Lock()

    def table(self, name: str) -> Rows:
        """Return the table by that name."""
        with self.write() as sql:
            sql.execute(_TABLE.format(_sql_name(name)))
        return SqliteRows(self, _sql_name(name))

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection, None, None]:
        """Hold the file's only write transaction; it commits at the end, or undoes all on an error.

        Raises:
            RetryLater: another process held the file for too long, or the disk is full.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection, None, None]:
        """See one state of the file, whatever others write meanwhile. Raises as write()."""
        with self._transaction("BEGIN") as connection:
            yield connection

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Generator[sqlite3.Connection, None, None]:
        try:
            with self._lock, self._connection as connection:
                connection.execute(begin)
                yield connection
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF not in _PASSING:
                raise
            raise RetryLater(
                f"{self._path} did not take it: {exc}. It is tried again; if this lasts, look for "
                "another process that holds the file, or a full disk."
            ) from exc


class SqliteRows:
    """A table of the file; fits rows.Rows."""

    def __init__(self, database: SqliteDatabase, table: str) -> None:
        self._database = database
        self._select = f"SELECT part, key, fields, data, etag FROM {table} WHERE"  # noqa: S608  # a name of ours
        self._insert = f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)"  # noqa: S608  # a name of ours
        self._put = f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?)"  # noqa: S608  # a name of ours
        self._delete = f"DELETE FROM {table} WHERE part = ? AND key = ?"  # noqa: S608  # a name of ours

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        """Return the row with these fields, None where there is none."""
        (row,) = self.get_each([(partition, key)], *fields)
        return row

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        """Return the row at each (partition, key), all of one state of the file."""
        with self._database.read() as sql:
            found = [self._row(sql, *place) for place in places]
        return [row and selected(row, fields) for row in found]

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        """Yield the rows of these partitions and keys."""
        (of_part, parts), (of_key, texts) = _where("part", partitions), _where("key", keys)
        after = f"(part, key) > (?, ?) ORDER BY part, key LIMIT {_PART}"
        statement = f"{self._select} {of_part} AND {of_key} AND {after}"
        last = ("", "")
        while True:
            with self._database.read() as sql:
                found = sql.execute(statement, (*parts, *texts, *last)).fetchall()
            yield from (selected(_row(*one), fields) for one in found)
            if len(found) < _PART:
                return
            last = found[-1][:2]

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        """Return the rows of each partition and its keys."""
        return [list(self.query(*place)) for place in places]

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        """Make all of the changes, or none; raises Conflict."""
        check(partition, changes)
        with self._database.write() as sql:
            self._change(sql, partition, changes)

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        """Commit each of the transactions by itself; return for each whether it was made.

        All of them reach the disk at once, which takes longer than the rest together.
        """
        for one in transactions:
            check(one.partition, one.changes)
        with self._database.write() as sql:
            return [self._made(sql, one) for one in transactions]

    def _made(self, sql: sqlite3.Connection, transaction: Transaction) -> bool:
        sql.execute("SAVEPOINT one")
        try:
            self._change(sql, transaction.partition, transaction.changes)
        except Conflict:
            sql.execute("ROLLBACK TO one")
            return False
        finally:
            sql.execute("RELEASE one")
        return True

    def _change(self, sql: sqlite3.Connection, partition: str, changes: Sequence[Change]) -> None:
        """Make the changes; raises Conflict, after which the caller undoes them."""
        if all(isinstance(change, Insert) for change in changes):
            rows = [
                _values(partition, one.key, one.fields)
                for one in changes
                if isinstance(one, Insert)
            ]
            try:
                sql.executemany(self._insert, rows)
            except sqlite3.IntegrityError:
                raise Conflict("A row is there already.") from None
            return
        for change in changes:
            fields = changed(self._row(sql, partition, change.key), change)
            if fields is None:
                sql.execute(self._delete, (partition, change.key))
            else:
                sql.execute(self._put, _values(partition, change.key, fields))

    def _row(self, sql: sqlite3.Connection, partition: str, key: str) -> Row | None:
        found = sql.execute(f"{self._select} part = ? AND key = ?", (partition, key)).fetchone()
        return found and _row(*found)


def connect(path: Path, wait_s: float = 5.0) -> SqliteDatabase:
    """Open the file, making it and its folder where they are missing.

    wait_s: how long to wait while another process writes.
    Raises:
        Misconfigured: the file cannot be opened, or is no SQLite file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path, timeout=wait_s, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL for all tables. NORMAL may lose the last commits when the power goes: of a claim or a
        # batch whose message was deleted since, that would count an event twice or never. It would
        # save some 0.1 ms of the 1 ms that a commit of 100 claims takes.
        connection.execute("PRAGMA synchronous = FULL")
    except (OSError, sqlite3.Error) as exc:
        raise Misconfigured(
            f"{path} cannot be opened: {exc}. Correct AGENTMETER_STATE, or move the file away."
        ) from exc
    return SqliteDatabase(connection, path)


def put_row(sql: sqlite3.Connection, table: str, partition: str, key: str, fields: Fields) -> None:
    """Insert or replace a row, in the transaction of the caller."""
    sql.execute(_TABLE.format(_sql_name(table)))
    statement = f"INSERT OR REPLACE INTO {_sql_name(table)} VALUES (?, ?, ?, ?, ?)"  # noqa: S608  # a name of ours
    sql.execute(statement, _values(partition, key, fields))


def _sql_name(table: str) -> str:
    return f"rows_{table}"


def _where(column: str, wanted: Within) -> tuple[str, tuple[str, ...]]:
    """Return the condition, and what it binds."""
    if isinstance(wanted, str):
        return f"{column} = ?", (wanted,)
    if wanted.end:
        return f"{column} >= ? AND {column} < ?", (wanted.start, wanted.end)
    return f"{column} >= ?", (wanted.start,)


def _values(partition: str, key: str, fields: Fields) -> tuple[str, str, str, bytes | None, int]:
    """Return the columns of a row: JSON, which says of bytes how many of `data` are theirs."""
    data = b"".join(value for value in fields.values() if isinstance(value, bytes))
    stored = {name: [len(v)] if isinstance(v, bytes) else v for name, v in fields.items()}
    text = json.dumps(stored, separators=(",", ":"), ensure_ascii=False)
    return partition, key, text, data or None, getrandbits(62)


def _row(partition: str, key: str, text: str, data: bytes | None, etag: int) -> Row:
    stored: dict[str, str | int | bool | list[int]] = json.loads(text)
    fields: dict[str, Value] = {}
    left = data or b""
    for name, value in stored.items():
        if isinstance(value, list):
            fields[name], left = left[: value[0]], left[value[0] :]
        else:
            fields[name] = value
    return Row(partition, key, fields, str(etag))
