"""What is asked of Azure Tables: requests of a message, and what a scrape of all series takes.

`python -m bench.asked`. Requests are counted over SQLite, where the same are made.
"""

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from string import ascii_letters
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.process import BOOK, NOW, Nowhere, batch
from shared.events.message import pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.metrics.catalogue import METRICS
from shared.metrics.metric import Metric
from shared.metrics.points import Counted, Observed, Point, Sampled
from shared.pricing.price import load
from shared.storage import sqlite, tables
from shared.storage.rows import EVERY, Change, Database, Row, Rows, Transaction, Within
from shared.storage.stores import stores_of
from shared.usecases.processing.process import SERIES_MAX, Process, Stores
from tests.contract.azurite import emulator
from tests.spans import CHAT, span

EVENTS = {1: (3, 3), 25: (5, 3), 500: (9, 3)}
"""Events of a message → how many requests it may make, and how many one after another."""
TRACES = {1: (6, 4), 100: (16, 4)}
"""The same of spans that begin so many traces, 100 in all."""
SCRAPED = 31
"""Metrics of a scrape, each of as many series as there may be, with the longest labels."""
SCRAPE_S = 2
LABEL_CHARS = 128


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of the table. found, most: of `unit`."""

    what: str
    unit: str
    found: float
    most: float


class Counting:
    """A table, and how often it was asked. steps: one after another."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.requests = self.steps = 0

    def _count(self, requests: int) -> None:
        self.requests += requests
        self.steps += bool(requests)

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        self._count(1)
        return self._rows.get(partition, key, *fields)

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        self._count(len(places))
        return self._rows.get_each(places, *fields)

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        self._count(1)
        return self._rows.query(partitions, keys, *fields)

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        self._count(len(places))
        return self._rows.query_each(places)

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        self._count(1)
        self._rows.commit(partition, changes)

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        self._count(len(transactions))
        return self._rows.commit_each(transactions)


class CountedDatabase:
    """A database whose tables are counted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tables: list[Counting] = []

    def table(self, name: str) -> Rows:
        self.tables.append(counting := Counting(self._database.table(name)))
        return counting

    def close(self) -> None:
        self._database.close()

    def take(self) -> tuple[int, int]:
        """Return how many requests there were, and how many one after another, since the last."""
        found = sum(t.requests for t in self.tables), sum(t.steps for t in self.tables)
        for table in self.tables:
            table.requests = table.steps = 0
        return found


def measure() -> list[Asked]:
    """Count what messages ask for, and time a scrape."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with closing(CountedDatabase(sqlite.connect(folder / "state.db"))) as database:
            asked = list(_of_messages(database))
        with emulator(folder) as azurite, closing(tables.connect(azurite.account())) as azure:
            return [*asked, _of_a_scrape(azure)]


def _of_messages(database: CountedDatabase) -> Iterator[Asked]:
    made = stores_of(database)
    stores = Stores(made.claims, made.series, made.labels, made.traces)
    process = Process(stores, Nowhere(), load(BOOK.read_text()), label_max_values=200)
    kinds: Mapping[str, tuple[int, int]] = {
        **{batch(size, size): most for size, most in EVENTS.items()},
        **{_spans(traces, 1): most for traces, most in TRACES.items()},
    }
    names = [f"events: {n}" for n in EVENTS] + [f"spans: 100, of {n} new traces" for n in TRACES]
    process.run(batch(0, max(EVENTS)), 1, NOW)
    process.run(_spans(1, 0), 1, NOW)
    for what, (text, most) in zip(names, kinds.items(), strict=True):
        database.take()
        process.run(text, 1, NOW)
        for unit, found, limit in zip(
            ("all", "one after another"), database.take(), most, strict=True
        ):
            yield Asked(f"requests of a message, {what}", unit, found, limit)


def _spans(traces: int, number: int) -> str:
    """Return a message of 100 spans of so many traces, which no other number has."""
    spans = [
        replace(span(CHAT, n + 1), trace_id=f"{n % traces:08x}{traces:08x}{number + 1:016x}")
        for n in range(100)
    ]
    (text,) = pack_parcels(read_spans(spans, NOW, 0).parcels, NOW)
    return text


def _of_a_scrape(database: Database) -> Asked:
    """Time how long an instance takes that has read nothing yet, after a compaction."""
    store = stores_of(database).series
    letters = random.Random(7)
    values = ["".join(letters.choices(ascii_letters, k=LABEL_CHARS)) for _ in range(SERIES_MAX)]
    for metric in islice(METRICS.values(), SCRAPED):
        for n in range(0, SERIES_MAX, 250):
            points = [_point(metric, value) for value in values[n : n + 250]]
            store.apply(f"{metric.name} {n}", points, NOW)
    for minute in range(1, 4):
        store.compact(NOW + timedelta(minutes=minute))
    began = perf_counter()
    state = stores_of(database).series.read()
    took = perf_counter() - began
    series = len(state.counters) + len(state.histograms) + len(state.gauges)
    assert series == SCRAPED * SERIES_MAX
    what = f"a scrape: {SCRAPED} metrics of {SERIES_MAX} series, labels of {LABEL_CHARS} characters"
    return Asked(what, "seconds", round(took, 2), SCRAPE_S)


def _point(metric: Metric, value: str) -> Point:
    labels = tuple((label, value) for label in metric.labels)
    match metric.kind:
        case "counter":
            return Counted(metric.name, labels, Decimal(1))
        case "gauge":
            return Sampled(metric.name, labels, "sender", NOW, 1.0)
        case "histogram":
            return Observed(metric.name, labels, 1, 0.5, (1, *(0 for _ in metric.buckets)))


def table(rows: Sequence[Asked]) -> str:
    """Return the table in Markdown."""
    lines = ["| asked of Azure Tables | | found | at most | |", "|" + " --- |" * 5]
    for row in rows:
        verdict = "met" if row.found <= row.most else "over"
        lines.append(f"| {row.what} | {row.unit} | {row.found:g} | {row.most:g} | {verdict} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(measure()))
