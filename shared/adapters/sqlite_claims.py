"""Claims in a SQLite table."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.adapters.sqlite import Database, stamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, holder TEXT NOT NULL, taken_at TEXT NOT NULL, done INTEGER NOT NULL
) WITHOUT ROWID;
"""
_AGE = "CREATE INDEX IF NOT EXISTS claims_age ON claims (taken_at)"


class SqliteClaims:
    """A row per claim; fits ports.Claims."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as sql:
            sql.execute(_SCHEMA)
            sql.execute(_AGE)

    def claim(
        self, wanted: Mapping[str, str], at: datetime, *, seen_before: bool
    ) -> Mapping[str, str]:
        """Take each key for its holder unless another has it; return who holds each key now."""
        del seen_before  # a hint for slower stores
        taken_at = stamp(at)
        rows = [(key, holder, taken_at) for key, holder in wanted.items()]
        with self._database.write() as sql:
            sql.executemany("INSERT OR IGNORE INTO claims VALUES (?, ?, ?, 0)", rows)
            held = sql.execute(
                "SELECT key, holder FROM claims WHERE key IN (SELECT value FROM json_each(?))",
                (json.dumps(list(wanted)),),
            )
            return dict(held.fetchall())

    def done(self, keys: Iterable[str]) -> None:
        """Note that the events of these claimed keys were exported."""
        with self._database.write() as sql:
            sql.executemany("UPDATE claims SET done = 1 WHERE key = ?", [(key,) for key in keys])

    def is_done(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that were noted as exported."""
        with self._database.read() as sql:
            found = sql.execute(
                "SELECT key FROM claims WHERE done AND key IN (SELECT value FROM json_each(?))",
                (json.dumps(list(keys)),),
            )
            return {key for (key,) in found}

    def forget(self, before: datetime) -> int:
        """Drop claims taken before that moment; return how many."""
        with self._database.write() as sql:
            return sql.execute("DELETE FROM claims WHERE taken_at < ?", (stamp(before),)).rowcount
