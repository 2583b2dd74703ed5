"""What agentmeter tells of itself after a tick."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.alerting.page import Page
from shared.alerting.record import RuleRecord
from shared.alerting.tallies import NO_TALLIES, Tallies
from shared.errors import RetryLater
from shared.metrics.points import Point
from shared.usecases.evaluation.own_gauges import Vitals, lag_s
from shared.usecases.evaluation.run_report import RuleReport, TickReport
from tests.in_memory import MemoryAlerts, MemorySeries

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICK = TickReport(NOON, (RuleReport("a/error", "evaluated"), RuleReport("old/error", "removed")))


def page(number: int) -> Page:
    return Page(
        id=f"{number}",
        rule="a/error",
        action="trigger",
        severity="error",
        route="all",
        dedup_key=f"{number}",
        summary="errors",
        reason="fired",
        body={},
        created_at=NOON,
        not_before=NOON,
    )


def test_a_tick_is_reported_as_gauges_of_its_minute() -> None:
    alerts, series = MemoryAlerts(), MemorySeries()
    good_at = NOON - 3 * MINUTE
    alerts.save(RuleRecord("a/error", last_good_at=good_at), [page(1), page(2)])
    alerts.save(RuleRecord("old/error", last_good_at=NOON - 99 * MINUTE), [])
    Vitals(alerts, series).record(TICK)
    gauges = {name: sample for (name, _, _), sample in series.read().gauges.items()}
    assert gauges == {
        "agentmeter_heartbeat": (NOON, 1),
        "agentmeter_outbox_depth": (NOON, 2),
        "agentmeter_evaluation_lag_seconds": (NOON, 180),
    }


def test_a_rule_that_never_had_an_answer_waits_since_its_first_failure() -> None:
    rules = [RuleRecord("a/error", errors=7), RuleRecord("b/error", last_good_at=NOON - MINUTE)]
    assert lag_s(rules, NOON) == 420
    assert lag_s([], NOON) == 0


class Closed(MemorySeries):
    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        raise RetryLater("Table series did not answer: 503. It is tried again.")


def test_a_store_that_does_not_answer_stops_no_tick_and_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    Vitals(MemoryAlerts(), Closed()).record(TICK)
    assert "were not counted: Table series did not answer" in caplog.text
