"""One SQLite file that several threads, and several processes, may use at once."""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Value = str | bytes | int | float | None


class Database:
    """A connection behind a lock. Whatever a call wrote is on the disk when it returns."""

    def __init__(self, path: Path | None, schema: str) -> None:
        """Open the file, made with its folder where missing; None keeps everything in memory."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10
        )
        # FULL: an answer that says "stored" must be true after the power has failed.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + schema)

    def run(self, sql: str, *values: Value) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Make the run() calls inside happen together or, after an exception, not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
