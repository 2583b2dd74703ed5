"""One SQLite file for all that is remembered on a laptop, shared by threads and processes."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from shared.errors import Misconfigured, RetryLater

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}


class Database:
    """An open file. One connection behind a lock: SQLite lets one writer in at a time anyway."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._lock = Lock()

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
        """Let go of the file."""
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


def connect(path: Path, wait_s: float = 5.0) -> Database:
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
            f"{path} cannot be opened: {exc}. Mend AGENTMETER_STATE, or move the file away."
        ) from exc
    return Database(connection, path)


def stamp(at: datetime) -> str:
    """Return the moment as text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
