"""Running totals and label values in SQLite tables."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.adapters.sqlite import Database, stamp
from shared.adapters.totals import GAUGE_KEPT, Line, Totals
from shared.alerting.tallies import (
    KEPT,
    NO_TALLIES,
    Tallies,
    dumped,
    loaded,
    merge_all,
    slice_of,
)
from shared.metrics.points import Point, SeriesState

_TABLES = (
    "CREATE TABLE IF NOT EXISTS batches (id TEXT PRIMARY KEY, added_at TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS batches_age ON batches (added_at)",
    """CREATE TABLE IF NOT EXISTS series (
        kind TEXT, name TEXT, amount TEXT NOT NULL, sampled_at TEXT, PRIMARY KEY (kind, name)
    ) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS tallies (slice INTEGER, tallies TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS tallies_age ON tallies (slice)",
    "CREATE INDEX IF NOT EXISTS gauges_age ON series (sampled_at) WHERE kind = 'gauge'",
)
_BOOK = """CREATE TABLE IF NOT EXISTS label_values (
    label TEXT, value TEXT, PRIMARY KEY (label, value)
) WITHOUT ROWID"""


class SqliteSeries:
    """A row per series, a row per batch; fits ports.SeriesStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as sql:
            for statement in _TABLES:
                sql.execute(statement)

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        """Add the points and tallies in one step, once per batch_id; False if it was added."""
        added = Totals()
        added.add(points)
        with self._database.write() as sql:
            marker = sql.execute(
                "INSERT OR IGNORE INTO batches VALUES (?, ?)", (batch_id, stamp(at))
            )
            if not marker.rowcount:
                return False
            sql.execute("DELETE FROM tallies WHERE slice < ?", (slice_of(at - KEPT),))
            if tallies:
                row = (slice_of(at), dumped(tallies))
                sql.execute("INSERT INTO tallies VALUES (?, ?)", row)
            totals = _stored(sql, added.lines())
            totals.merge(added)
            sql.executemany("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", _rows(totals))
            sql.execute(
                "DELETE FROM series WHERE kind = 'gauge' AND sampled_at < ?",
                (stamp(at - GAUGE_KEPT),),
            )
            return True

    def applied(self, batch_id: str) -> bool:
        """Tell whether that batch was added before."""
        with self._database.read() as sql:
            found = sql.execute("SELECT 1 FROM batches WHERE id = ?", (batch_id,))
            return found.fetchone() is not None

    def read(self) -> SeriesState:
        """Return every series."""
        totals = Totals()
        with self._database.read() as sql:
            _take(totals, sql.execute("SELECT kind, name, amount FROM series"))
        return totals.state()

    def tallies(self, since: datetime) -> Tallies:
        """Return what was tallied in the slices from that moment on."""
        with self._database.read() as sql:
            where = "SELECT tallies FROM tallies WHERE slice >= ?"
            texts = [text for (text,) in sql.execute(where, (slice_of(since),))]
        found = merge_all(map(loaded, texts))
        return {key: tally for key, tally in found.items() if key.slice >= slice_of(since)}

    def forget(self, before: datetime) -> int:
        """Drop the memory of batches added before that moment; return how many."""
        with self._database.write() as sql:
            return sql.execute("DELETE FROM batches WHERE added_at < ?", (stamp(before),)).rowcount


class SqliteLabels:
    """A row per label value; fits ports.LabelBook.

    What was let in stays in, so that what was read of the book once is not asked for again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, frozenset[str]] = {}
        with database.write() as sql:
            sql.execute(_BOOK)

    def admit(self, label: str, values: set[str], most: int) -> set[str]:
        """Return those of the values that are in the book, adding new ones while there is room."""
        known = self._known.get(label, frozenset())
        if not values <= known and len(known) < most:
            known = self._known[label] = self._add(label, values, most)
        return set(values & known)

    def _add(self, label: str, values: set[str], most: int) -> frozenset[str]:
        """Return the book as it is with these values added."""
        with self._database.write() as sql:
            rows = sql.execute("SELECT value FROM label_values WHERE label = ?", (label,))
            book = frozenset[str](value for (value,) in rows)
            new = sorted(values - book)[: max(0, most - len(book))]
            sql.executemany(
                "INSERT INTO label_values VALUES (?, ?)", [(label, value) for value in new]
            )
        return book.union(new)


def _stored(sql: sqlite3.Connection, touched: Iterable[Line]) -> Totals:
    """Return what the file holds of these series, and of no others."""
    totals = Totals()
    for kind, name, _ in touched:
        found = sql.execute(
            "SELECT kind, name, amount FROM series WHERE kind = ? AND name = ?",
            (kind, _text(name)),
        )
        _take(totals, found)
    return totals


def _take(totals: Totals, rows: Iterable[tuple[str, str, str]]) -> None:
    for kind, name, amount in rows:
        totals.take(kind, json.loads(name), json.loads(amount))


def _rows(totals: Totals) -> Iterable[tuple[str, str, str, str | None]]:
    sampled: dict[object, str] = {gauge: stamp(at) for gauge, (at, _) in totals.gauges.items()}
    for kind, name, amount in totals.lines():
        yield kind, _text(name), _text(amount), sampled.get(name) if kind == "gauge" else None


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
