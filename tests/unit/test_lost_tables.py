"""What becomes of claims, totals and open incidents when tables are lost, or are of a day ago."""

from decimal import Decimal

import pytest

from shared.events.envelope import judge
from shared.events.message import pack
from shared.metrics.points import Counted
from shared.pricing.price import load
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import EVERY, Delete, Put, Row, Rows
from shared.storage.stores import stores_of
from shared.usecases.evaluation.write_metrics import Minutely
from shared.usecases.processing.process import Process, Stores
from tests.evaluating import World, rule
from tests.factories import event
from tests.fakes import START, FakeExporter
from tests.metric_rows import GOLD, MINUTE, REVENUE


def copied(rows: Rows) -> list[Row]:
    return list(rows.query(EVERY))


def restore(rows: Rows, before: list[Row]) -> None:
    """Have the table hold these rows and no others."""
    for row in copied(rows):
        rows.commit(row.partition, [Delete(row.key)])
    for row in before:
        rows.commit(row.partition, [Put(row.key, row.fields)])


class Minutes:
    """Revenue that is counted and written each minute, by a new process each."""

    def __init__(self) -> None:
        self.database, self.exporter, self.now = MemoryDatabase(), FakeExporter(), START
        self.table = self.database.table("series")

    def earn(self, usd: int) -> None:
        self.now += MINUTE
        stores = stores_of(self.database)
        stores.series.apply(f"{self.now}", [Counted(REVENUE, GOLD, Decimal(usd))], self.now)
        Minutely(stores.series, stores.mark, lambda: self.exporter).write(self.now + MINUTE)

    def written(self) -> list[float]:
        return [row.total for row in self.exporter.metric_rows if row.name == REVENUE]

    def scraped(self) -> int:
        return int(stores_of(self.database).series.read().counters[REVENUE, GOLD])


def test_lost_totals_begin_at_zero_and_write_no_minute_twice() -> None:
    minutes = Minutes()
    minutes.earn(5)
    restore(minutes.table, [])
    minutes.earn(3)
    assert (minutes.written(), minutes.scraped()) == ([5.0, 3.0], 3)


def test_restored_totals_go_on_from_then() -> None:
    minutes = Minutes()
    minutes.earn(5)
    before = copied(minutes.table)
    minutes.earn(2)
    restore(minutes.table, before)
    minutes.earn(3)
    assert (minutes.written(), minutes.scraped()) == ([5.0, 2.0, 3.0], 8)


class Queue:
    """Messages that are processed, by a new process each."""

    def __init__(self) -> None:
        self.database, self.exporter = MemoryDatabase(), FakeExporter()

    def message(self, *numbers: int) -> str:
        (text,) = pack(judge([event("cache.operation", n) for n in numbers], START)[0], START)
        return text

    def run(self, text: str, delivery: int = 1) -> int:
        """Return how many events are exported."""
        made = stores_of(self.database)
        stores = Stores(made.claims, made.series, made.labels, made.traces)
        before = len(self.exporter.event_rows)
        Process(stores, self.exporter, load(""), 200).run(text, delivery, START)
        return len(self.exporter.event_rows) - before

    def counted(self) -> int:
        counters = stores_of(self.database).series.read().counters
        return int(sum(n for (name, _), n in counters.items() if name == "cache_operations_total"))


@pytest.mark.parametrize("redelivered", [True, False])
def test_without_claims_only_new_messages_count_again(redelivered: bool) -> None:
    queue = Queue()
    first = queue.message(1)
    assert queue.run(first) == 1
    restore(queue.database.table("claims"), [])
    if redelivered:  # its marker says that it is done; it takes its claims again
        assert queue.run(first, 2) == 0
    assert queue.run(queue.message(1)) == (0 if redelivered else 1)
    assert queue.counted() == (1 if redelivered else 2)


def test_claims_of_a_day_ago_honour_what_they_know() -> None:
    queue = Queue()
    queue.run(queue.message(1))
    before = copied(queue.database.table("claims"))
    queue.run(queue.message(2))
    restore(queue.database.table("claims"), before)
    assert [queue.run(queue.message(n)) for n in (1, 2)] == [0, 1]


@pytest.mark.parametrize("ended", [False, True])
def test_an_incident_that_was_forgotten_keeps_its_key(ended: bool) -> None:
    world = World(rule())
    (opened,) = [page for page in world.ticks(5, Errors=99) if page.action == "trigger"]
    after = World(rule(), log=world.log)
    after.now = world.now
    again = after.ticks(8, Errors=0 if ended else 99)
    if ended:
        assert again == []  # only the pager knows of it: a person closes it
        return
    assert [page.dedup_key for page in again] == [opened.dedup_key]
    closed = {page.dedup_key for page in after.ticks(20, Errors=0) if page.action == "resolve"}
    assert closed == {opened.dedup_key}
