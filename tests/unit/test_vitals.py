"""What agentmeter tells of itself after a tick."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.memory import MemoryAlerts, MemorySeries
from shared.alerting.page import Page
from shared.alerting.record import RuleRecord
from shared.errors import Misconfigured
from shared.ports import Exporter, ExportLater
from shared.usecases.evaluate import RuleReport, TickReport
from shared.usecases.vitals import Vitals, lag_s
from tests.fakes import FakeExporter

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


def test_a_tick_is_told_as_rows_of_its_minute_and_as_gauges() -> None:
    alerts, series, exporter = MemoryAlerts(), MemorySeries(), FakeExporter()
    good_at = NOON - 3 * MINUTE
    alerts.save(RuleRecord("a/error", last_good_at=good_at), [page(1), page(2)])
    alerts.save(RuleRecord("old/error", last_good_at=NOON - 99 * MINUTE), [])
    Vitals(alerts, series, lambda: exporter).tell(TICK)
    told = {row.name: (row.time, row.total) for row in exporter.metric_rows}
    assert told == {
        "agentmeter_heartbeat": (NOON, 1),
        "agentmeter_outbox_depth": (NOON, 2),
        "agentmeter_evaluation_lag_seconds": (NOON, 180),
    }
    gauges = {name: sample for (name, _, _), sample in series.read().gauges.items()}
    assert gauges == told


def test_a_rule_that_never_had_an_answer_waits_since_its_first_failure() -> None:
    rules = [RuleRecord("a/error", errors=7), RuleRecord("b/error", last_good_at=NOON - MINUTE)]
    assert lag_s(rules, NOON) == 420
    assert lag_s([], NOON) == 0


def _wrong() -> Exporter:
    raise Misconfigured("APPLICATIONINSIGHTS_CONNECTION_STRING is no connection string. Copy it.")


def _closed() -> Exporter:
    exporter = FakeExporter()
    exporter.metric_outcome = lambda row: ExportLater("Azure Monitor answered 503.")
    return exporter


@pytest.mark.parametrize("exporter", [_wrong, _closed])
def test_a_road_that_is_closed_or_misconfigured_stops_no_tick_and_is_said(
    exporter: Callable[[], Exporter], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    series = MemorySeries()
    Vitals(MemoryAlerts(), series, exporter).tell(TICK)
    assert len(caplog.records) == 1
    assert len(series.read().gauges) == 3
