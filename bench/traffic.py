"""What some events a second ask of each part: instances, requests, rows, bytes, money.

Measured: processor time and requests of a message, from the last line of bench/history.jsonl; rows
of a message, counted here; prices of ops/bill.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from bench.process import BOOK, NOW, Nowhere, batch
from ops.bill import rates
from ops.bill.month import MONTH_S, Deployment, month, total
from shared.pricing.price import load
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import EVERY, prefix
from shared.storage.stores import stores_of
from shared.usecases.processing.process import Process, Stores

SIZES = (1, 25, 500)
"""Events of the messages that are measured; between them, in a straight line."""
REQUEST_US = {1: 6_100.0, 1_000: 33_000.0}
"""Processor time of a request with so many events, the write to the queue included; decision 28."""
INVOCATION_US = 1e6 / 700
"""Of the host, for each message: it hands a process 700 a second at the least; performance.md."""
BUSY = 0.7
"""How much of an instance's processor is planned for; the rest is for peaks."""
INSTANCE_GB = 2
"""Of memory, with one core."""


class Rows(NamedTuple):
    """What a message leaves behind. additions: those of `series` that a compaction folds."""

    claims: float
    series: float
    additions: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, by the events of a message. process_us: of the whole message."""

    commit: str
    process_us: Mapping[int, float]
    requests: Mapping[int, float]
    rows: Mapping[int, Rows]


@dataclass(frozen=True, slots=True)
class Traffic:
    """So many events a second, in requests of `batch`; each request is one message."""

    events: float
    batch: int
    figures: Figures

    @property
    def messages(self) -> float:
        """Requests and messages a second."""
        return self.events / self.batch

    @property
    def ingest(self) -> int:
        """Instances that take requests."""
        return ceil(self.messages * between(REQUEST_US, self.batch) / 1e6 / BUSY)

    @property
    def process(self) -> int:
        """Instances that work the queue off."""
        one = between(self.figures.process_us, self.batch) + INVOCATION_US
        return ceil(self.messages * one / 1e6 / BUSY)

    @property
    def requests(self) -> float:
        """Requests of tables a second."""
        return self.messages * between(self.figures.requests, self.batch)

    def rows(self, kind: str) -> float:
        """Rows a second, as Rows has them."""
        each = {size: getattr(rows, kind) for size, rows in self.figures.rows.items()}
        return self.messages * between(each, self.batch)

    @property
    def log_bytes(self) -> float:
        """Bytes a second into the workspace."""
        return self.events * rates.CALL_BYTES + self.messages * rates.OWN_BYTES

    def usd(self, deployments: int) -> float:
        """Return what a month of it costs, spread evenly over so many deployments."""
        one = Deployment(
            calls=self.events * MONTH_S / deployments,
            batch=self.batch,
            instance_gb=INSTANCE_GB,
            instances=(self.ingest + self.process) / deployments,
        )
        return total(month(one)) * deployments


def between(points: Mapping[int, float], size: int) -> float:
    """Return the value at that size, in a straight line between the two sizes around it."""
    low = max(n for n in points if n <= size)
    high = min(n for n in points if n >= size)
    share = (size - low) / (high - low) if high > low else 0
    return points[low] + share * (points[high] - points[low])


def figures(history: str) -> Figures:
    """Return what the last line of the history says, and the rows of a message.

    Raises:
        KeyError: the line lacks a row; its name.
    """
    line = json.loads(history.splitlines()[-1])
    named = {(row["what"], row["unit"]): row for row in line["rows"]}

    def found(what: str, unit: str, figure: str) -> float:
        return float(named[what, unit][figure])

    over = "process and export, Azure Tables (Azurite), {} a message"
    return Figures(
        line["commit"],
        {n: n * found(over.format(n), "event", "ours") for n in SIZES},
        {n: found(f"requests of a message, events: {n}", "all", "found") for n in SIZES},
        {n: rows_of(n) for n in SIZES},
    )


def rows_of(size: int) -> Rows:
    """Count the rows that a message of so many events leaves behind."""
    database = MemoryDatabase()
    made = stores_of(database)
    stores = Stores(made.claims, made.series, made.labels, made.traces)
    process = Process(stores, Nowhere(), load(BOOK.read_text()), label_max_values=200)

    def count() -> Sequence[int]:
        claims, series = (database.table(name) for name in ("claims", "series"))
        found = claims.query(EVERY), series.query(EVERY), series.query(EVERY, prefix("t:d:"))
        return [len(list(rows)) for rows in found]

    process.run(batch(0, size), 1, NOW)
    before = count()
    process.run(batch(1, size), 1, NOW)
    return Rows(*(after - earlier for after, earlier in zip(count(), before, strict=True)))
