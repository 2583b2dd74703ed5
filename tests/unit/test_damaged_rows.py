"""Rows that cannot be read are named and left out: scrapes, messages and the tick go on."""

import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.alerting.history import Step
from shared.errors import Misconfigured
from shared.metrics.points import Counted
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import EVERY, Put
from shared.storage.stores import Storage, stores_of
from shared.usecases.evaluation.write_metrics import Minutely
from tests.fakes import FakeExporter

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COST, CALLS = "llm_cost_usd_total", "llm_api_calls_total"
TEXTS = ["", "[1]", '[["counter"]]', '[["counter", ["a", []], "much"]]', '{"a": 1}']
BROKEN = [b"no zlib", b"", *(zlib.compress(text.encode()) for text in TEXTS)]


def add(stores: Storage, batch: str, metric: str, amount: int = 1) -> None:
    assert stores.series.apply(batch, [Counted(metric, (), Decimal(amount))], NOON)


def counted(stores: Storage) -> dict[str, int]:
    return {name: int(amount) for (name, _), amount in stores.series.read().counters.items()}


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def stores(database: MemoryDatabase) -> Storage:
    return stores_of(database)


def damage(database: MemoryDatabase, table: str, part: str, data: bytes = BROKEN[0]) -> str:
    """Replace the data of the first row whose key has that part; return its name."""
    rows = database.table(table)
    row = next(row for row in rows.query(EVERY) if part in row.key)
    rows.commit(row.partition, [Put(row.key, {**row.fields, "data00": data})])
    return f"{row.partition}/{row.key}"


@pytest.mark.parametrize("data", BROKEN)
def test_an_addition_costs_itself(database: MemoryDatabase, stores: Storage, data: bytes) -> None:
    add(stores, "a", COST, 5)
    name = damage(database, "series", "t:d:", data)
    add(stores, "b", COST, 2)
    add(stores, "c", CALLS)
    for minute in range(3):
        assert counted(stores) == {COST: 2, CALLS: 1}
        stores.series.compact(NOON + minute * MINUTE)
    assert counted(stores_of(database)) == {COST: 2, CALLS: 1}
    assert [(one.kind, one.rule) for one in stores.set_aside.listed()] == [("row", name)]


def test_a_row_of_totals_costs_its_metric(database: MemoryDatabase, stores: Storage) -> None:
    add(stores, "a", COST, 5)
    add(stores, "b", CALLS)
    stores.series.compact(NOON)
    damage(database, "series", f"t:y:{COST}")
    other = stores_of(database)
    assert counted(other) == {CALLS: 1}
    add(other, "c", COST, 3)
    other.series.compact(NOON + MINUTE)
    assert counted(stores_of(database)) == {COST: 3, CALLS: 1}


def test_a_lost_list_stops_totals_alone(database: MemoryDatabase, stores: Storage) -> None:
    add(stores, "a", COST)
    stores.series.compact(NOON)
    damage(database, "series", "t:head")
    with pytest.raises(Misconfigured, match="t:head"):
        stores.series.read()
    with pytest.raises(Misconfigured, match="t:head"):
        stores.series.tallies(NOON)
    Minutely(stores.series, stores.mark, FakeExporter).write(NOON + MINUTE)
    add(stores, "b", COST)
    assert stores.series.applied("b")
    assert not stores.series.applied("c")


def test_a_book_of_labels_begins_anew(database: MemoryDatabase, stores: Storage) -> None:
    stores.labels.admit("model", {"gpt-4o": "a"}, 10, NOON)
    row = next(iter(database.table("series").query("labels")))
    damage(database, "series", row.key)
    other = stores_of(database)
    assert other.labels.admit("model", {"gpt-5": "a"}, 10, NOON) == {"gpt-5"}
    assert list(other.labels.all(NOON)["model"]) == ["gpt-5"]


def test_a_listing_of_claims_stops_no_other(database: MemoryDatabase, stores: Storage) -> None:
    stores.claims.claim({"e:1": "a"}, NOON, seen_before=False)
    damage(database, "claims", "~")
    stores.claims.claim({"e:2": "a"}, NOON + timedelta(hours=1), seen_before=False)
    assert stores.claims.forget(NOON + timedelta(days=9)) == 1
    assert stores.claims.forget(NOON + timedelta(days=9)) == 0


def test_history_and_texts_are_passed_over(database: MemoryDatabase, stores: Storage) -> None:
    step = Step("a", "Costs", "Costs", "decision", NOON, "", "why")
    stores.alerts.log.note("Costs", [step])
    stores.alerts.log.note("Costs", [replace(step, key="b", at=NOON + MINUTE)])
    damage(database, "alerts", "n:")
    assert len(stores.alerts.log.news(10)) == 1
    assert len(stores.alerts.log.steps("Costs")) == 1
    stores.texts.write("rules", "old")
    damage(database, "texts", "rules")
    assert stores.texts.read("rules") is None
