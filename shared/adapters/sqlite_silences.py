"""Silences in a SQLite table."""

from collections.abc import Sequence
from datetime import datetime

from shared.adapters.salvage import readable
from shared.adapters.silences import SILENCE, by_start, ended, written
from shared.adapters.sqlite import Database, stamp
from shared.alerting.muting import Silence

_TABLE = """CREATE TABLE IF NOT EXISTS silences (
    id TEXT PRIMARY KEY, ends_at TEXT NOT NULL, silence TEXT NOT NULL
)"""
_PUT = "INSERT OR REPLACE INTO silences VALUES (?, ?, ?)"


class SqliteSilences:
    """A row per silence; fits ports.SilenceStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as sql:
            sql.execute(_TABLE)

    def all(self) -> Sequence[Silence]:
        """Return every silence that is kept, by start and id."""
        with self._database.read() as sql:
            found = sql.execute("SELECT silence FROM silences").fetchall()
        return by_start(readable(SILENCE, (text for (text,) in found)))

    def add(self, silence: Silence) -> None:
        """Keep the silence; one with its id that is there already is replaced."""
        with self._database.write() as sql:
            sql.execute(_PUT, _row(silence))

    def end(self, id: str, at: datetime) -> Silence | None:
        """End the silence at that moment and return it; None where there is none with that id."""
        with self._database.write() as sql:
            found = sql.execute("SELECT silence FROM silences WHERE id = ?", (id,)).fetchone()
            if found is None:
                return None
            silence = ended(SILENCE.validate_json(found[0]), at)
            sql.execute(_PUT, _row(silence))
            return silence

    def forget(self, before: datetime) -> int:
        """Drop silences that ended before that moment; return how many."""
        with self._database.write() as sql:
            return sql.execute("DELETE FROM silences WHERE ends_at < ?", (stamp(before),)).rowcount


def _row(silence: Silence) -> tuple[str, str, str]:
    return silence.id, stamp(silence.ends_at), written(silence)
