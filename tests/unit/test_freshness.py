"""What is not there because nothing comes in is not taken for all being well."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from replay.azure import DirectExporter, DirectLog
from shared.alerting.record import RuleRecord
from shared.errors import GiveUp
from shared.metrics.own import HEARTBEAT
from shared.ports import Table
from shared.rows import EventRow, MetricRow
from shared.usecases.evaluation.announce import CHANGES
from shared.usecases.evaluation.freshness import PROBE, Reach, is_stale
from shared.usecases.evaluation.self_watch import TELEMETRY_STALE
from standin.monitor.store import MonitorStore
from tests.evaluating import START, FakeLog, World, only, rule
from tests.fakes import FakeClock

STALE = TELEMETRY_STALE
ROWS = ("Source", "value")


def stopped(world: World) -> World:
    world.log.fresh = False
    return world


def test_a_counter_that_falls_silent_with_all_else_is_not_resolved() -> None:
    world = World(rule(hold="PT0S"))
    assert [page.action for page in world.ticks(3, Errors=12)] == ["trigger"]
    asked = len(world.log.asked)
    assert stopped(world).ticks(30, Errors=0) == []
    assert len(world.log.asked) == asked
    (alert,) = world.record().firing.values()
    assert alert.silent_since == START + timedelta(minutes=3)
    world.log.fresh = True
    assert [page.action for page in world.ticks(1)] == ["resolve"]


@pytest.mark.parametrize(
    ("policy", "pages"),
    [
        pytest.param({"no_data": "keep"}, [], id="keep"),
        pytest.param({"no_data": "ok"}, [], id="ok-waits"),
        pytest.param({"no_data_max": "PT5M"}, ["resolve"], id="kept-no-longer-than-said"),
        pytest.param({"no_data": "alert"}, [], id="alert"),
    ],
)
def test_the_policy_for_no_data_decides_over_a_firing_alert(
    policy: dict[str, str], pages: list[str]
) -> None:
    world = World(rule(hold="PT0S", offset="PT0S", **policy))
    world.log.columns = ROWS
    world.ticks(1, Errors=[("a", 12)])
    assert [page.action for page in stopped(world).ticks(20)] == pages


def test_a_rule_that_waits_for_its_hold_waits_on_and_one_about_absence_fires() -> None:
    world = World(rule(), rule("Absent", no_data="alert", offset="PT0S"))
    world.ticks(1, Errors=12)
    pages = stopped(world).ticks(20, Absent=0)
    assert [page.rule for page in pages] == ["Absent/critical"]
    assert [alert.phase for alert in world.record().series.values()] == ["pending"]


def test_the_probe_is_asked_once_a_tick_for_all_rules() -> None:
    asked: list[str] = []

    class Counting(FakeLog):
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            asked.append(kql)
            return super().query(kql, start, end)

    World(*(rule(f"R{n}") for n in range(6)), log=Counting()).tick()
    assert sum(kql.startswith("union") for kql in asked) == 1


def test_a_probe_without_an_answer_leaves_each_rule_to_its_own() -> None:
    class Broken(FakeLog):
        def query(self, kql: str, start: datetime, end: datetime) -> Table:
            if kql.startswith("union"):
                raise GiveUp("no table AppMetrics")
            return super().query(kql, start, end)

    world = World(rule(hold="PT0S"), log=Broken())
    assert len(world.ticks(2, Errors=12)) == 1


def test_telemetry_that_stops_pages_after_ten_more_minutes_and_ends_with_the_first_row() -> None:
    world = World(STALE)
    assert world.ticks(5) == []
    assert stopped(world).ticks(10) == []
    (opened,) = world.ticks(5)
    assert opened.action == "trigger"
    assert "for 25 minutes neither" in opened.summary
    world.log.fresh = True
    assert [page.action for page in world.ticks(2)] == ["resolve"]


def test_a_long_pause_of_the_app_is_not_mistaken_for_telemetry_that_stopped() -> None:
    world = World(STALE)
    world.ticks(5)
    world.now += timedelta(hours=2)
    stopped(world)
    report = only(world.tick())
    assert len(report.planned) == 1
    assert world.ticks(3) == []
    world.log.fresh = True
    world.ticks(2)
    assert not world.record("TelemetryStale/critical").series


def watched(record: RuleRecord | None = None) -> World:
    """Return a deployment without any telemetry, whose records these are."""
    world = stopped(World(rule()))
    world.evaluate = replace(world.evaluate, own=lambda: [STALE])
    if record:
        world.alerts.save(record, [])
    return world


def test_a_fresh_deployment_is_not_stale_for_half_an_hour() -> None:
    world = watched()
    assert world.ticks(40) == []
    (page,) = world.ticks(2)
    assert page.rule == "TelemetryStale/critical"


OF_BEFORE = RuleRecord("Errors/critical", last_at=START - timedelta(minutes=1))


def test_an_old_deployment_is_not_fresh() -> None:
    (page,) = watched(OF_BEFORE).ticks(12)
    assert page.rule == "TelemetryStale/critical"


def test_an_upgraded_deployment_is_as_quiet_as_a_fresh_one() -> None:
    world = watched(OF_BEFORE)
    world.alerts.save(RuleRecord(CHANGES, deployed_at=START), [])
    assert world.ticks(40) == []
    (page,) = world.ticks(2)
    assert page.rule == "TelemetryStale/critical"


def test_a_deployment_dated_ahead_gives_no_grace() -> None:
    world = watched(OF_BEFORE)
    world.alerts.save(RuleRecord(CHANGES, deployed_at=START + timedelta(hours=3)), [])
    (page,) = world.ticks(12)
    assert page.rule == "TelemetryStale/critical"


def test_deployments_in_a_row_put_off_no_page() -> None:
    world = watched(OF_BEFORE)
    assert world.ticks(5) == []
    world.alerts.save(RuleRecord(CHANGES, deployed_at=world.now), [])
    (page,) = world.ticks(8)
    assert page.rule == "TelemetryStale/critical"


@pytest.mark.parametrize(
    ("minutes_ago", "stale"), [(1, False), (9, False), (10, False), (11, True), (600, True)]
)
@pytest.mark.parametrize("kind", ["event", "heartbeat", "another metric"])
def test_an_event_or_a_heartbeat_of_the_last_ten_minutes_is_fresh(
    kind: str, minutes_ago: int, stale: bool
) -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    store = MonitorStore(None, FakeClock(now))
    at, exporter = now - timedelta(minutes=minutes_ago), DirectExporter(store)
    if kind == "event":
        exporter.events([EventRow("revenue", at, {"id": "1", "source": "s"}, {"count": 1.0})])
    else:
        name = HEARTBEAT.name if kind == "heartbeat" else "errors_total"
        exporter.metrics([MetricRow(name, at, (), 1.0)])
    assert is_stale(DirectLog(store), now, Reach()) is (stale or kind == "another metric")
    store.close()


def test_the_rule_about_staleness_bears_rows_ten_minutes_late() -> None:
    (condition,) = STALE.conditions
    assert (condition.query, condition.window, condition.offset) == (
        PROBE,
        timedelta(minutes=15),
        timedelta(0),
    )
    assert Path(STALE.runbook).exists()
