"""The laptop's file as the edition before rows wrote it: a table for each store."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from shared.storage.alerts import page_fields, record_fields, settled_fields
from shared.storage.labels import text_key_of
from shared.storage.landed_mark import mark_rows
from shared.storage.outbox import PAGE, RECORD, SETTLED
from shared.storage.packing import hour_of, packed, parts_of, text_key
from shared.storage.rows import Fields
from shared.storage.series_rows import totals_fields, totals_texts
from shared.storage.silences import SILENCE, silence_fields
from shared.storage.sqlite import SqliteDatabase, put_row
from shared.storage.steps import STEPS, steps_fields
from shared.storage.totals import Totals

Found = Iterator[tuple[str, str, str, Fields]]
"""Table, partition, key and fields of a row."""
_LISTED = 1_000
_KEY_CHARS = 4
"""Of a claim's key: a kind, a colon and two digits at least."""


def migrate(database: SqliteDatabase) -> None:
    """Turn what that edition wrote into the rows that it wrote to Azure Tables, all at once."""
    with database.write() as sql:
        found = sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = {name for (name,) in found}
        for names, read in _READERS.items():
            if tables.issuperset(names):
                for row in list(read(sql)):
                    put_row(sql, *row)
                for name in names:
                    sql.execute(f"DROP TABLE {name}")
        sql.execute("DROP TABLE IF EXISTS tallies")


def _claims(sql: sqlite3.Connection) -> Found:
    by_hour = defaultdict[str, list[str]](list)
    for key, holder, taken_at, done in sql.execute(
        "SELECT key, holder, taken_at, done FROM claims"
    ):
        if len(key) >= _KEY_CHARS:
            hour = hour_of(datetime.fromisoformat(taken_at))
            by_hour[hour].append(key)
            fields = {"holder": holder, "hour": hour, **({"done": True} if done else {})}
            yield "claims", key[:3], key[3:], fields
    for hour, keys in by_hour.items():
        for some in parts_of(keys, _LISTED):
            text = " ".join(some)
            name = sha256(text.encode()).hexdigest()
            yield "claims", f"hour-{hour}", name, packed(text, "claims")


def _series(sql: sqlite3.Connection) -> Found:
    totals = Totals()
    for kind, name, amount in sql.execute("SELECT kind, name, amount FROM series"):
        totals.take(kind, json.loads(name), json.loads(amount))
    for metric, part in totals.by_metric().items():
        for number, text in enumerate(totals_texts(part)):
            yield "series", f"0{number:x}", f"m:{metric}", totals_fields(text)
    for batch, added_at in sql.execute("SELECT id, added_at FROM batches"):
        digest = sha256(batch.encode()).hexdigest()
        hour = hour_of(datetime.fromisoformat(added_at))
        yield "series", f"0{digest[0]}", f"b:{digest}", {}
        yield "series", f"0{digest[0]}", f"i:{hour}:{digest}", {}


def _labels(sql: sqlite3.Connection) -> Found:
    book = defaultdict[str, list[str]](list)
    for label, value in sql.execute("SELECT label, value FROM label_values ORDER BY label, value"):
        book[label].append(value)
    for label, values in book.items():
        fields = packed(json.dumps(values, ensure_ascii=False), f"the values of {label}")
        yield "series", "labels", text_key_of(label), fields


def _mark(sql: sqlite3.Connection) -> Found:
    for version, text in sql.execute("SELECT version, text FROM mark"):
        for key, fields in mark_rows(version, text):
            yield "series", "mark", key, fields


def _alerts(sql: sqlite3.Connection) -> Found:
    for (text,) in sql.execute("SELECT record FROM records"):
        record = RECORD.validate_json(text)
        yield "alerts", text_key(record.rule), "record", record_fields(record)
    for (text,) in sql.execute("SELECT page FROM outbox"):
        page = PAGE.validate_json(text)
        yield "alerts", text_key(page.rule), f"o:{text_key(page.id)}", page_fields(page)
    for text, outcome in sql.execute("SELECT page, outcome FROM history"):
        page = PAGE.validate_json(text)
        fields = settled_fields(page, SETTLED.validate_json(outcome), page.not_before)
        yield "alerts", text_key(page.rule), f"h:{text_key(page.id)}", fields


def _steps(sql: sqlite3.Connection) -> Found:
    for name, rule, text in sql.execute("SELECT id, rule, steps FROM news"):
        fields = {"rule": rule, **steps_fields(STEPS.validate_json(text))}
        yield "alerts", text_key(rule), f"n:{name}", fields
    for rule, text in sql.execute("SELECT rule, steps FROM steps"):
        yield "alerts", text_key(rule), "steps", steps_fields(STEPS.validate_json(text))


def _silences(sql: sqlite3.Connection) -> Found:
    for name, text in sql.execute("SELECT id, silence FROM silences"):
        yield "silences", "silences", text_key(name), silence_fields(SILENCE.validate_json(text))


def _texts(sql: sqlite3.Connection) -> Found:
    for name, text in sql.execute("SELECT name, text FROM texts"):
        yield "texts", "texts", name, packed(text, name)


_READERS = {
    ("claims",): _claims,
    ("series", "batches"): _series,
    ("label_values",): _labels,
    ("mark",): _mark,
    ("records", "outbox", "history"): _alerts,
    ("news", "steps"): _steps,
    ("silences",): _silences,
    ("texts",): _texts,
}
