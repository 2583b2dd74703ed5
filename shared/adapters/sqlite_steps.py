"""The history of alerts in SQLite: what waits for its export, and the latest of what was."""

import sqlite3
from collections.abc import Sequence

from shared.adapters.outbox import as_json
from shared.adapters.sqlite import Database
from shared.adapters.steps import STEPS, kept, merged, news_of, oldest_first
from shared.alerting.history import News, Step

_TABLES = (
    """CREATE TABLE IF NOT EXISTS news (
        number INTEGER PRIMARY KEY, id TEXT UNIQUE, rule TEXT NOT NULL, steps TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS news_rule ON news (rule)",
    "CREATE TABLE IF NOT EXISTS steps (rule TEXT PRIMARY KEY, steps TEXT NOT NULL) WITHOUT ROWID",
)


class SqliteSteps:
    """A row for the steps of each write, and one for all told steps of a rule; fits StepLog."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as sql:
            for statement in _TABLES:
                sql.execute(statement)

    def note(self, rule: str, steps: Sequence[Step]) -> None:
        """Store steps of the rule that come with no other change."""
        with self._database.write() as sql:
            add_news(sql, rule, steps)

    def news(self, most: int) -> Sequence[News]:
        """Return what is not yet exported, oldest first."""
        with self._database.read() as sql:
            found = sql.execute("SELECT id, rule, steps FROM news ORDER BY number").fetchall()
        news = (News(id, rule, STEPS.validate_json(steps)) for id, rule, steps in found)
        return oldest_first(news)[:most]

    def told(self, news: News) -> None:
        """Move the steps to those that are kept."""
        with self._database.write() as sql:
            if not sql.execute("DELETE FROM news WHERE id = ?", (news.id,)).rowcount:
                return
            steps = kept(merged(_told(sql, news.rule), news.steps))
            sql.execute(
                "INSERT OR REPLACE INTO steps VALUES (?, ?)", (news.rule, as_json(STEPS, steps))
            )

    def steps(self, rule: str) -> Sequence[Step]:
        """Return the steps of the rule that are kept or not yet exported, oldest first."""
        with self._database.read() as sql:
            waiting = sql.execute(
                "SELECT steps FROM news WHERE rule = ? ORDER BY number", (rule,)
            ).fetchall()
            return merged(_told(sql, rule), *(STEPS.validate_json(text) for (text,) in waiting))


def add_news(sql: sqlite3.Connection, rule: str, steps: Sequence[Step]) -> None:
    """Store steps for their export, in the transaction of the caller."""
    if steps:
        news = news_of(rule, steps)
        row = (news.id, rule, as_json(STEPS, news.steps))
        sql.execute("INSERT OR REPLACE INTO news (id, rule, steps) VALUES (?, ?, ?)", row)


def _told(sql: sqlite3.Connection, rule: str) -> tuple[Step, ...]:
    found = sql.execute("SELECT steps FROM steps WHERE rule = ?", (rule,)).fetchone()
    return STEPS.validate_json(found[0]) if found else ()
