"""What every store of running totals promises."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from string import ascii_letters, digits
from threading import Barrier

from shared.metrics.points import Counted, Labels, Observed, Sampled
from shared.usecases.processing.process import SERIES_MAX
from tests.contract.stores import OpenStores, Stores

NOON = datetime(2026, 11, 23, 12, 10, tzinfo=UTC)
COST = "llm_cost_usd_total"
TOKENS = "llm_tokens_used_total"
SECONDS = "http_request_duration_seconds"
TEAMS = "active_teams_total"
OPENAI: Labels = (("provider", "openai"), ("model", "gpt-4o"))
GET: Labels = (("method", "GET"), ("path", "/v1/ü"))
BUSY: Labels = (("status", "busy"),)
SAME_SHARD = ["b-2", "b-12", "b-14", "b-28"]
"""Batches that a store of sixteen shards keeps in the same one."""
ONE, OTHER, *_ = SAME_SHARD


def cost(amount: str, labels: Labels = OPENAI) -> Counted:
    return Counted(COST, labels, Decimal(amount))


def teams(value: float, at: datetime = NOON, source: str = "fleet-a") -> Sampled:
    return Sampled(TEAMS, BUSY, source, at, value)


def observed(total: float, buckets: Iterable[int]) -> Observed:
    counts = tuple(buckets)
    return Observed(SECONDS, GET, sum(counts), total, counts)


def test_a_new_store_holds_nothing(stores: Stores) -> None:
    state = stores.series.read()
    assert (state.counters, state.histograms, state.gauges) == ({}, {}, {})
    assert not stores.series.applied("b-1")


def test_a_batch_is_added_once_however_often_it_comes(open_stores: OpenStores) -> None:
    stores = open_stores()
    points = [cost("0.10"), teams(3), observed(0.5, [1, 0, 1])]
    assert stores.series.apply("b-1", points, NOON)
    assert not stores.series.apply("b-1", points, NOON + timedelta(hours=5))
    again = open_stores().series
    assert again.applied("b-1")
    assert not again.apply("b-1", points, NOON)
    state = again.read()
    assert state.counters == {(COST, OPENAI): Decimal("0.10")}
    assert state.histograms == {(SECONDS, GET): (2, 0.5, (1, 0, 1))}
    assert state.gauges == {(TEAMS, BUSY, "fleet-a"): (NOON, 3.0)}


def test_a_batch_without_points_is_remembered_too(stores: Stores) -> None:
    assert stores.series.apply("b-1", [], NOON)
    assert stores.series.applied("b-1")
    assert not stores.series.apply("b-1", [], NOON)


def test_a_batch_id_may_be_any_text(stores: Stores) -> None:
    assert stores.series.apply("a/b#c?d\\e 'ü", [cost("1")], NOON)
    assert stores.series.applied("a/b#c?d\\e 'ü")


def test_money_is_summed_exactly_over_all_batches(stores: Stores) -> None:
    tiny, large = "0.000000000000000000000000000000012345", "12345678901234567890.1"
    for batch, amount in enumerate([tiny, large, *["0.1"] * 30]):
        stores.series.apply(f"b-{batch}", [cost(amount)], NOON)
    total = stores.series.read().counters[COST, OPENAI]
    assert total == Decimal("12345678901234567893.100000000000000000000000000000012345")


def test_points_of_one_series_in_one_batch_add_up(stores: Stores) -> None:
    stores.series.apply(
        "b-1", [cost("1"), cost("2"), observed(1.0, [1, 0]), observed(2.0, [0, 1])], NOON
    )
    state = stores.series.read()
    assert state.counters == {(COST, OPENAI): Decimal(3)}
    assert state.histograms == {(SECONDS, GET): (2, 3.0, (1, 1))}


def test_series_are_distinguished_by_metric_and_every_label(stores: Stores) -> None:
    other: Labels = (("provider", "openai"), ("model", "gpt-4o-mini"))
    stores.series.apply("b-1", [cost("1"), cost("2", other)], NOON)
    stores.series.apply("b-2", [Counted(TOKENS, OPENAI, Decimal(7)), cost("1")], NOON)
    assert stores.series.read().counters == {
        (COST, OPENAI): Decimal(2),
        (COST, other): Decimal(2),
        (TOKENS, OPENAI): Decimal(7),
    }


def test_histograms_add_bucket_by_bucket(stores: Stores) -> None:
    for batch in range(20):
        stores.series.apply(f"b-{batch}", [observed(0.25, [1, 0, 2])], NOON)
    assert stores.series.read().histograms == {(SECONDS, GET): (60, 5.0, (20, 0, 40))}


def test_a_histogram_with_other_bounds_starts_anew(stores: Stores) -> None:
    stores.series.apply(ONE, [observed(1.0, [1, 1])], NOON)
    stores.series.apply(OTHER, [observed(2.0, [0, 1, 0])], NOON + timedelta(seconds=1))
    assert stores.series.read().histograms == {(SECONDS, GET): (1, 2.0, (0, 1, 0))}


def test_the_latest_sample_of_a_gauge_wins_whatever_comes_last(stores: Stores) -> None:
    for batch, seconds in enumerate([20, 50, 10, 30]):
        at = NOON + timedelta(seconds=seconds)
        stores.series.apply(f"b-{batch}", [teams(seconds, at)], NOON + timedelta(minutes=1))
    latest = (NOON + timedelta(seconds=50), 50.0)
    assert stores.series.read().gauges == {(TEAMS, BUSY, "fleet-a"): latest}


def test_each_source_of_a_gauge_keeps_its_own_sample(stores: Stores) -> None:
    stores.series.apply("b-1", [teams(3), teams(4, source="fleet-b")], NOON)
    assert stores.series.read().gauges == {
        (TEAMS, BUSY, "fleet-a"): (NOON, 3.0),
        (TEAMS, BUSY, "fleet-b"): (NOON, 4.0),
    }


def test_a_gauge_goes_when_no_one_samples_it_for_an_hour(stores: Stores) -> None:
    later = NOON + timedelta(minutes=61)
    kept = later - timedelta(minutes=59)
    stores.series.apply(ONE, [teams(1, source="gone"), teams(2, kept, "kept")], kept)
    stores.series.apply(OTHER, [teams(3, later, "new")], later)
    stores.series.compact(later)
    assert {source for _, _, source in stores.series.read().gauges} == {"kept", "new"}


def test_nothing_is_lost_or_doubled_when_instances_add_at_once(open_stores: OpenStores) -> None:
    instances = [open_stores() for _ in range(4)]

    def add(number: int) -> list[bool]:
        series = instances[number].series
        return [series.apply(f"b-{n}", [cost("0.1"), teams(n)], NOON) for n in range(10)]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(add, range(4)))
    assert [sum(each) for each in zip(*answers, strict=True)] == [1] * 10
    assert instances[0].series.read().counters == {(COST, OPENAI): Decimal("1.0")}


def test_batches_that_change_the_same_series_at_once_all_count(open_stores: OpenStores) -> None:
    instances = [open_stores() for _ in SAME_SHARD]
    together = Barrier(len(SAME_SHARD))

    def add(number: int) -> bool:
        together.wait()
        return instances[number].series.apply(SAME_SHARD[number], [cost("0.1")], NOON)

    instances[0].series.apply("b-1", [], NOON)
    with ThreadPoolExecutor(len(SAME_SHARD)) as threads:
        assert all(threads.map(add, range(len(SAME_SHARD))))
    assert instances[0].series.read().counters == {(COST, OPENAI): Decimal("0.4")}


def test_a_thousand_series_of_several_metrics_come_back_as_they_were(
    open_stores: OpenStores,
) -> None:
    points = [
        Counted(f"metric_{n % 10}_total", (("path", f"/{n}"),), Decimal(n)) for n in range(1000)
    ]
    open_stores().series.apply("b-1", points, NOON)
    open_stores().series.apply("b-2", points[:500], NOON)
    twice = {(p.metric, p.labels): p.amount * (1 + (n < 500)) for n, p in enumerate(points)}
    assert open_stores().series.read().counters == twice


def test_as_many_series_as_a_metric_may_have_are_kept_whatever_their_labels(
    stores: Stores,
) -> None:
    chars = Random(1)
    points = [
        Counted("metric_total", tuple((name, noise(chars, 128)) for name in "abc"), Decimal(n))
        for n in range(SERIES_MAX)
    ]
    stores.series.apply("b-1", points, NOON)
    assert stores.series.read().counters == {(p.metric, p.labels): p.amount for p in points}


def test_a_gauge_of_too_many_sources_keeps_the_latest(stores: Stores) -> None:
    chars = Random(1)
    sources = [noise(chars, 200) for _ in range(3_000)]
    times = [NOON + timedelta(milliseconds=n) for n in range(3_000)]
    points = [teams(1, at, source) for at, source in zip(times, sources, strict=True)]
    stores.series.apply("b-1", points, times[-1])
    stores.series.compact(times[-1])
    state = stores.series.read()
    assert {source for _, _, source in state.gauges} == set(sources[-2_000:])
    capped = "agentmeter_series_capped_total", (("metric", TEAMS),)
    assert state.counters == {capped: Decimal(1_000)}


def test_a_sample_from_the_future_counts_as_of_now(stores: Stores) -> None:
    stores.series.apply(ONE, [teams(9, datetime(2099, 1, 1, tzinfo=UTC))], NOON)
    assert stores.series.read().gauges == {(TEAMS, BUSY, "fleet-a"): (NOON, 9.0)}
    later = NOON + timedelta(minutes=1)
    stores.series.apply(OTHER, [teams(2, later)], later)
    assert stores.series.read().gauges == {(TEAMS, BUSY, "fleet-a"): (later, 2.0)}


def noise(chars: Random, length: int) -> str:
    return "".join(chars.choices(ascii_letters + digits, k=length))


def test_forget_drops_old_batches_and_only_old_ones_and_no_totals(
    open_stores: OpenStores,
) -> None:
    stores = open_stores()
    for name, at in (("old", NOON - timedelta(hours=3)), ("new", NOON)):
        for batch in range(8):
            stores.series.apply(f"{name}-{batch}", [cost("1")], at)
        stores.series.compact(at)
    assert open_stores().series.forget(NOON - timedelta(hours=1)) == 8
    assert stores.series.forget(NOON - timedelta(hours=1)) == 0
    assert not any(stores.series.applied(f"old-{batch}") for batch in range(8))
    assert all(stores.series.applied(f"new-{batch}") for batch in range(8))
    assert stores.series.read().counters == {(COST, OPENAI): Decimal(16)}
