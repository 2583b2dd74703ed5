"""Alert records, outgoing pages and their history in SQLite tables."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from shared.adapters import outbox
from shared.adapters.outbox import (
    PAGE,
    RECORD,
    SETTLED,
    as_json,
    attempted,
    begun,
    faster,
    next_in_line,
)
from shared.adapters.salvage import readable
from shared.adapters.sqlite import Database, stamp
from shared.adapters.sqlite_steps import SqliteSteps, add_news
from shared.alerting.history import Step
from shared.alerting.page import Delivery, Later, Page
from shared.alerting.record import RuleRecord
from shared.errors import RetryLater

_TABLES = (
    "CREATE TABLE IF NOT EXISTS records (rule TEXT PRIMARY KEY, version INTEGER, record TEXT)",
    """CREATE TABLE IF NOT EXISTS outbox (
        id TEXT, rule TEXT, page TEXT NOT NULL, PRIMARY KEY (id, rule)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS history (
        settled_at TEXT, id TEXT, page TEXT NOT NULL, outcome TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS history_order ON history (settled_at, id)",
)


class SqliteAlerts:
    """A row per record and per page; fits ports.AlertStore."""

    def __init__(self, database: Database) -> None:
        self.log = SqliteSteps(database)
        self._database = database
        with database.write() as sql:
            for statement in _TABLES:
                sql.execute(statement)

    def load(self, rule: str) -> RuleRecord:
        """Return the record of the rule, or a fresh one with version 0."""
        with self._database.read() as sql:
            found = sql.execute("SELECT record FROM records WHERE rule = ?", (rule,)).fetchone()
        return RECORD.validate_json(found[0]) if found else RuleRecord(rule)

    def load_all(self) -> Sequence[RuleRecord]:
        """Return the record of every rule that has one, by rule."""
        with self._database.read() as sql:
            found = sql.execute("SELECT record FROM records ORDER BY rule").fetchall()
        return readable(RECORD, (record for (record,) in found))

    def save(
        self, record: RuleRecord, pages: Sequence[Page], steps: Sequence[Step] = ()
    ) -> RuleRecord:
        """Store the record, its pages and steps, or raise RetryLater and do nothing."""
        saved = replace(record, version=record.version + 1)
        rows = [(page.id, page.rule, as_json(PAGE, page)) for page in pages]
        try:
            with self._database.write() as sql:
                _put(sql, saved)
                sql.executemany("INSERT INTO outbox VALUES (?, ?, ?)", rows)
                add_news(sql, record.rule, steps)
        except sqlite3.IntegrityError:
            raise RetryLater(faster(record.rule)) from None
        return saved

    def due(self, now: datetime, most: int) -> Sequence[Page]:
        """Return the oldest page of each incident where that one is due, oldest first."""
        return next_in_line(self.waiting(), now, most)

    def lease(self, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
        """Take the page for an attempt; None where somebody else was faster."""
        with self._database.write() as sql:
            stored = _stored(sql, page)
            taken = stored and begun(stored, page, token, now, until)
            if taken:
                _change(sql, taken)
            return taken

    def settle(
        self, page: Page, outcome: Delivery, not_before: datetime, steps: Sequence[Step] = ()
    ) -> None:
        """Record an attempt; a page that has left, or is another's by now, is passed over."""
        tried = attempted(page, outcome, not_before)
        with self._database.write() as sql:
            stored = _stored(sql, page)
            if stored is None or stored.lease != page.lease:
                return
            add_news(sql, page.rule, steps)
            if isinstance(outcome, Later):
                _change(sql, tried)
                return
            sql.execute("DELETE FROM outbox WHERE id = ? AND rule = ?", (page.id, page.rule))
            entry = (stamp(not_before), page.id, as_json(PAGE, tried), as_json(SETTLED, outcome))
            sql.execute("INSERT INTO history VALUES (?, ?, ?, ?)", entry)
            sql.execute(
                "DELETE FROM history WHERE rowid IN (SELECT rowid FROM history"
                " ORDER BY settled_at DESC, id DESC LIMIT -1 OFFSET ?)",
                (outbox.HISTORY_KEPT,),
            )

    def waiting(self) -> Sequence[Page]:
        """Return every page of the outbox, oldest first."""
        with self._database.read() as sql:
            found = sql.execute("SELECT page FROM outbox ORDER BY id").fetchall()
        return readable(PAGE, (page for (page,) in found))

    def history(self, most: int) -> Sequence[tuple[Page, Delivery, datetime]]:
        """Return the latest settled pages with their outcome and when, newest first."""
        with self._database.read() as sql:
            found = sql.execute(
                "SELECT page, outcome FROM history ORDER BY settled_at DESC, id DESC LIMIT ?",
                (most,),
            ).fetchall()
        return list(_entries(found))


def _put(sql: sqlite3.Connection, saved: RuleRecord) -> None:
    """Insert the first version, or replace the one before this.

    Raises:
        sqlite3.IntegrityError: the version before this is not the one that is stored.
    """
    text = as_json(RECORD, saved)
    if saved.version == 1:
        sql.execute("INSERT INTO records VALUES (?, 1, ?)", (saved.rule, text))
        return
    replaced = sql.execute(
        "UPDATE records SET version = ?, record = ? WHERE rule = ? AND version = ?",
        (saved.version, text, saved.rule, saved.version - 1),
    )
    if not replaced.rowcount:
        raise sqlite3.IntegrityError("version")


def _stored(sql: sqlite3.Connection, page: Page) -> Page | None:
    """Return the page as it waits, None where it has left."""
    where = "SELECT page FROM outbox WHERE id = ? AND rule = ?"
    found = sql.execute(where, (page.id, page.rule)).fetchone()
    return PAGE.validate_json(found[0]) if found else None


def _change(sql: sqlite3.Connection, page: Page) -> None:
    """Replace a page that waits."""
    sql.execute(
        "UPDATE outbox SET page = ? WHERE id = ? AND rule = ?",
        (as_json(PAGE, page), page.id, page.rule),
    )


def _entries(
    rows: Iterable[tuple[str, str]],
) -> Iterable[tuple[Page, Delivery, datetime]]:
    for text, said in rows:
        for page in readable(PAGE, (text,)):
            for outcome in readable(SETTLED, (said,)):
                yield page, outcome, page.not_before
