"""What every storage of the mark promises: one writer at a time, and nothing changed on the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from shared.errors import RetryLater
from shared.mark_port import Written
from shared.metrics.points import SeriesState
from shared.rows import MetricRow
from tests.contract.stores import OpenStores, Stores

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MODEL = (("provider", "ürsa"), ("model", "a\\b#c?d/e"))
STATE = SeriesState(
    {("llm_cost_usd_total", MODEL): Decimal("1.00000000000000000000000000001")},
    {("llm_api_duration_seconds", MODEL): (3, 0.1 + 0.2, (0, 1, 2))},
    {("task_queue_size", (("priority", "high"),), "a source"): (NOON, 7.5)},
)
OWED = (
    MetricRow("llm_cost_usd_total", NOON, MODEL, 1e-30),
    MetricRow("llm_api_duration_seconds", NOON, MODEL, 0.1 + 0.2, 3, 0.0, 2.5),
)
LATER = NOON + timedelta(minutes=5)


def test_at_first_nothing_is_written(stores: Stores) -> None:
    assert stores.mark.load() == Written()


def test_what_was_stored_comes_back_as_it_was(open_stores: OpenStores) -> None:
    saved = open_stores().mark.save(Written(0, NOON, STATE, OWED, LATER))
    assert saved == Written(1, NOON, STATE, OWED, LATER)
    assert open_stores().mark.load() == saved


def test_of_two_that_begin_with_the_same_the_second_is_refused_and_changes_nothing(
    open_stores: OpenStores,
) -> None:
    one, other = open_stores().mark, open_stores().mark
    for _ in range(3):
        seen = one.load()
        assert other.load() == seen
        saved = one.save(replace(seen, minute=NOON, owed=OWED))
        with pytest.raises(RetryLater, match="Another process"):
            other.save(replace(seen, minute=LATER))
        assert other.load() == saved


def test_thousands_of_noisy_series_are_kept_and_later_fewer(open_stores: OpenStores) -> None:
    letters = Random(1)
    noise = [tuple((f"l{n}", letters.randbytes(48).hex()) for n in range(3)) for _ in range(4_000)]
    many = SeriesState({("errors_total", labels): Decimal(1) for labels in noise})
    mark = open_stores().mark
    saved = mark.save(Written(0, NOON, many))
    assert open_stores().mark.load().totals.counters == many.counters
    mark.save(replace(saved, totals=STATE))
    assert open_stores().mark.load().totals == STATE
