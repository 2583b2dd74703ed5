"""How far the running totals are written, in a SQLite table."""

from dataclasses import replace

from shared.adapters.marks import FASTER, as_text, of_text
from shared.adapters.sqlite import Database
from shared.errors import RetryLater
from shared.ports import Written

_TABLE = """CREATE TABLE IF NOT EXISTS mark (
    only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL, text TEXT NOT NULL
)"""


class SqliteMark:
    """One row; fits ports.Mark."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as sql:
            sql.execute(_TABLE)

    def load(self) -> Written:
        """Return what is stored."""
        with self._database.read() as sql:
            found = sql.execute("SELECT version, text FROM mark").fetchone()
        return of_text(*found) if found else Written()

    def save(self, written: Written) -> Written:
        """Store it in place of what has its version, or raise RetryLater and do nothing."""
        saved = replace(written, version=written.version + 1)
        with self._database.write() as sql:
            found = sql.execute("SELECT version FROM mark").fetchone()
            if written.version != (found[0] if found else 0):
                raise RetryLater(FASTER)
            sql.execute(
                "INSERT OR REPLACE INTO mark VALUES (1, ?, ?)", (saved.version, as_text(saved))
            )
        return saved
