"""What a query may say of series: how many are kept, how long their labels are."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from shared.alerting.bounds import SERIES_MOST
from shared.alerting.failing import awaited, failing
from shared.alerting.reading import LABEL_MAX, read_samples
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.errors import Misconfigured
from shared.storage.outbox import PAGE, RECORD, as_json
from tests.evaluating import World, rule

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def by_source(one: Rule) -> World:
    """Return a world whose log has a row for each Source."""
    world = World(one)
    world.log.columns = ("Source", "value")
    return world


def labels_of(text: object) -> str:
    (sample,) = read_samples(("value", "Team"), ((1, text),)).values()
    return sample.labels["Team"]


def test_long_labels_are_cut_and_stay_apart() -> None:
    first, second = labels_of("x" * 5000 + "1"), labels_of("x" * 5000 + "2")
    assert len(first) == len(second) == LABEL_MAX
    assert first != second
    assert labels_of("x" * LABEL_MAX) == "x" * LABEL_MAX


@pytest.mark.parametrize("text", ["half \ud83d", "\udcff", "a\udc00b"])
def test_half_a_character_becomes_text(text: str) -> None:
    assert labels_of(text).encode().decode() == text.encode("utf-8", "replace").decode()


def test_too_many_labels_are_refused_with_the_remedy() -> None:
    names = ("value", *(f"c{n}" for n in range(40)))
    with pytest.raises(Misconfigured, match="Summarize by fewer"):
        read_samples(names, ())


def test_the_worst_series_are_kept_and_the_rest_reported() -> None:
    world = by_source(rule(hold="PT0S"))
    rows: list[tuple[str, float]] = [(f"s{n:03}" + "x" * 300, 11.0 + n) for n in range(300)]
    (page,) = world.ticks(1, Errors=rows)
    record = world.alerts.load("Errors/critical")
    assert (len(record.series), record.left_out) == (SERIES_MOST, 100)
    assert min(alert.value or 0 for alert in record.series.values()) == 111.0
    assert page.body["custom_details"]["firing"] == SERIES_MOST  # type: ignore[index]
    assert len(as_json(RECORD, record)) < 1_000_000


def test_a_series_that_fires_is_not_pushed_out_by_worse_ones() -> None:
    world = by_source(rule(hold="PT0S"))
    world.ticks(1, Errors=[("first", 12)])
    flood: list[tuple[str, float]] = [("first", 12), *((f"s{n}", 1e6) for n in range(300))]
    world.ticks(3, Errors=flood)
    record = world.alerts.load("Errors/critical")
    assert "first" in {alert.labels["Source"] for alert in record.series.values()}


def test_series_beyond_the_bound_are_not_silent() -> None:
    world = by_source(rule(hold="PT0S", no_data="alert", condition="> 1000"))
    spoken = [(f"s{n}", 1.0) for n in range(SERIES_MOST)]
    world.ticks(2, Errors=spoken)
    assert world.ticks(5, Errors=[*((f"new{n}", 2.0) for n in range(300)), *spoken]) == []
    assert world.alerts.load("Errors/critical").left_out == 300


def test_a_fault_of_the_only_rule_is_noted() -> None:
    world = World(rule())
    world.tick()
    world.ticks(2, Errors=ArithmeticError("ours"))
    failed = world.alerts.load("Errors/critical")
    assert (failed.errors, failed.last_error) == (2, "ArithmeticError: ours")


def test_infinity_is_shown_as_inf() -> None:
    world = by_source(rule(hold="PT0S", summary="{value:.1f} errors"))
    (page,) = world.ticks(1, Errors=[("a", math.inf)])
    assert page.summary == "[CRITICAL] inf errors"
    stored = PAGE.validate_json(as_json(PAGE, page))
    json.dumps(stored.body, allow_nan=False)


def record(minutes: int, good: bool = False) -> RuleRecord:
    """Return the record of a rule that has failed for so long."""
    failed = RuleRecord("a/error", last_good_at=NOON - timedelta(days=1) if good else None)
    for minute in range(minutes, -1, -1):
        failed = failed.failing("AppEvents is unknown", NOON - minute * MINUTE)
    return failed


def test_failures_count_from_the_first() -> None:
    assert failing([record(4)], NOON) == {}
    assert failing([record(5)], NOON) == {"a/error": 6}


@pytest.mark.parametrize(("minutes", "good", "fresh"), [(5, False, True), (30, False, False)])
def test_a_fresh_deployment_is_waited_for(minutes: int, good: bool, fresh: bool) -> None:
    assert bool(awaited([record(minutes, good)], NOON)) is fresh
    assert awaited([record(minutes, good=True)], NOON) == ""
    assert awaited([], NOON) == ""
