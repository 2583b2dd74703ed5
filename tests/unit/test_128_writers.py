"""As many instances as Azure starts write at once, and keep out of each other's way."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

import pytest

from shared.events.envelope import judge
from shared.events.message import pack
from shared.pricing.price import load
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import Change, Conflict, Rows, Transaction
from shared.storage.stores import stores_of
from shared.usecases.processing.process import Process, Stores
from tests.factories import DATA, event
from tests.fakes import START, FakeExporter

WRITERS, MESSAGES, EVENTS = 128, 3, 10
MOST = 0.1
"""Conflicts of a message."""
PRICES = load("")


class CountingRows:
    """A table, and how often a change of it met another's."""

    def __init__(self, rows: Rows, lock: Lock, met: list[str]) -> None:
        self._rows, self._lock, self._met = rows, lock, met
        self.get, self.get_each = rows.get, rows.get_each
        self.query, self.query_each = rows.query, rows.query_each

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        try:
            self._rows.commit(partition, changes)
        except Conflict:
            self._count(partition)
            raise

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        made = self._rows.commit_each(transactions)
        for (partition, _), is_made in zip(transactions, made, strict=True):
            if not is_made:
                self._count(partition)
        return made

    def _count(self, partition: str) -> None:
        with self._lock:
            self._met.append(partition)


class CountingDatabase(MemoryDatabase):
    def __init__(self) -> None:
        super().__init__()
        self.met: list[str] = []
        self._counting = Lock()

    def table(self, name: str) -> Rows:
        return CountingRows(super().table(name), self._counting, self.met)


def text(number: int) -> str:
    """Return a message of events of every kind, which no other number has."""
    kinds = list(DATA)
    given = [
        {**event(kinds[n % len(kinds)], number * EVENTS + n), "time": START.isoformat()}
        for n in range(EVENTS)
    ]
    events, _ = judge(given, START)
    (packed,) = pack(events, START)
    return packed


@pytest.mark.parametrize("seen", [False, True], ids=["first messages", "later messages"])
def test_128_writers_hardly_ever_conflict(seen: bool) -> None:
    database = CountingDatabase()
    barrier = Barrier(WRITERS)

    def process() -> Process:
        made = stores_of(database)
        stores = Stores(made.claims, made.series, made.labels, made.traces)
        return Process(stores, FakeExporter(), PRICES, 200)

    if seen:
        process().run(text(WRITERS * MESSAGES), 1, START)
        database.met.clear()
    texts = [[text(writer * MESSAGES + n) for n in range(MESSAGES)] for writer in range(WRITERS)]

    def work(mine: Sequence[str]) -> None:
        writer = process()
        barrier.wait()
        for one in mine:
            writer.run(one, 1, START)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(work, texts))
    totals = stores_of(database).series.read().counters
    accepted = totals["agentmeter_events_accepted_total", ()]
    assert accepted == WRITERS * MESSAGES * EVENTS + (EVENTS if seen else 0)
    assert len(database.met) < MOST * WRITERS * MESSAGES, database.met[:20]
