"""Texts by name in a SQLite table."""

from shared.adapters.sqlite import Database

_TABLE = "CREATE TABLE IF NOT EXISTS texts (name TEXT PRIMARY KEY, text TEXT NOT NULL)"


class SqliteTexts:
    """A row per text; fits price_book.Texts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as sql:
            sql.execute(_TABLE)

    def read(self, name: str) -> str | None:
        """Return the text by that name, or None."""
        with self._database.read() as sql:
            found = sql.execute("SELECT text FROM texts WHERE name = ?", (name,)).fetchone()
        return found and found[0]

    def write(self, name: str, text: str) -> None:
        """Keep the text in place of what had that name."""
        with self._database.write() as sql:
            sql.execute("INSERT OR REPLACE INTO texts VALUES (?, ?)", (name, text))
