"""What is told of alerts: each stored step, at least once, and counted once."""

import json
from datetime import timedelta

from shared.errors import Misconfigured
from shared.metrics.prometheus import TEXT, exposition
from shared.ports import Exporter
from shared.rows import ExportLater, ExportRefused
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.history import History
from tests.evaluating import START, World, rule
from tests.fakes import FakeExporter, FakeReceivers
from tests.in_memory import MemorySeries
from tests.unit.test_deliver import FakeReceiver


class Exported:
    """An engine whose pages go out and whose history is told, a minute after the other."""

    def __init__(self, world: World) -> None:
        self.world, self.exporter, self.series = world, FakeExporter(), MemorySeries()
        self.history = History(world.alerts, self.series, lambda: self.exporter)
        self.deliver = Deliver(
            world.alerts, FakeReceivers({"critical": FakeReceiver(), "warning": FakeReceiver()})
        )

    def ticks(self, count: int, **said: float) -> None:
        for _ in range(count):
            now = self.world.now + timedelta(seconds=3)
            self.world.tick(**said)
            self.deliver.run(now)
            self.history.export(now)

    def rows(self) -> list[tuple[str, str]]:
        """Return the name and state of each row."""
        return [(row.name, row.text.get("state", "")) for row in self.exporter.event_rows]

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of the metric's series that has these labels and no other like it."""
        text = exposition(self.series.read(), self.world.now, TEXT)
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        (line,) = [
            line
            for line in text.splitlines()
            if line.startswith(f"{name}{{") and all(label in line for label in wanted)
        ]
        return float(line.rpartition(" ")[2])


def test_an_episode_is_reported_step_by_step_and_each_once() -> None:
    exported = Exported(World(rule()))
    exported.ticks(5, Errors=12)
    exported.ticks(20, Errors=5)
    assert exported.rows() == [
        ("alert.transition", "pending"),
        ("alert.transition", "firing"),
        ("alert.decision", "trigger"),
        ("alert.page", "accepted"),
        ("alert.decision", ""),
        ("alert.transition", "resolved"),
        ("alert.decision", "resolve"),
        ("alert.page", "accepted"),
        ("alert.decision", "resolve"),
        ("alert.page", "accepted"),
    ]
    ids = [row.text["row_id"] for row in exported.exporter.event_rows]
    assert len(set(ids)) == len(ids)
    assert not any("id" in row.text for row in exported.exporter.event_rows)


def test_a_row_says_what_was_found_against_what_and_how_late() -> None:
    exported = Exported(World(rule(resolve="<= 9")))
    exported.ticks(3, Errors=12)
    firing = exported.exporter.event_rows[1]
    assert firing.time == START + timedelta(minutes=2)
    assert firing.text["alert"] == "Errors"
    assert firing.text["severity"] == "critical"
    assert json.loads(firing.text["series"]) == {}
    assert firing.text["reason"] == "12 is > 10"
    assert firing.text["evidence_query"].startswith("Errors datetime(2026-01-04T23:57:00")
    assert firing.text["episode"] == f"{firing.text['alert_id']}@20260105T000200Z"
    assert firing.numbers == {"value": 12, "threshold": 10, "detection_delay_s": 180, "flap": 0}
    page = exported.exporter.event_rows[3]
    assert (page.text["status"], page.text["receiver"]) == ("202", "critical")
    assert page.numbers == {"attempts": 1, "notify_delay_s": 3}
    exported.ticks(10, Errors=5)
    resolved = next(r for r in exported.exporter.event_rows if r.text.get("state") == "resolved")
    assert resolved.numbers["time_to_resolve_s"] == 60
    assert resolved.text["episode"] == firing.text["episode"]


def test_what_was_not_taken_is_sent_again_and_counted_once() -> None:
    exported = Exported(World(rule(hold="PT0S")))
    exported.exporter.event_outcome = lambda row: ExportLater("HTTP 503")
    exported.ticks(3, Errors=12)
    assert exported.exporter.event_rows == []
    exported.exporter.event_outcome = FakeExporter().event_outcome
    exported.ticks(2)
    assert exported.metric("agentmeter_alert_transitions_total", state="firing") == 1
    assert exported.metric("agentmeter_alert_pages_total", outcome="accepted") == 1
    assert list(exported.world.alerts.log.news(9)) == []


def test_a_crash_after_the_counting_counts_nothing_twice() -> None:
    exported = Exported(World(rule(hold="PT0S")))
    exported.world.tick(Errors=12)
    (news,) = exported.world.alerts.log.news(9)
    exported.history.export(exported.world.now)
    exported.world.alerts.log.note(news.rule, news.steps)
    exported.history.export(exported.world.now)
    assert exported.metric("agentmeter_alert_transitions_total", state="firing") == 1
    assert [row[0] for row in exported.rows()].count("alert.transition") == 2


def test_a_row_that_is_refused_for_good_holds_up_no_other() -> None:
    exported = Exported(World(rule(hold="PT0S")))
    exported.exporter.event_outcome = lambda row: ExportRefused(400, "no")
    exported.ticks(1, Errors=12)
    assert list(exported.world.alerts.log.news(9)) == []


def test_an_exporter_that_cannot_be_had_stops_no_tick() -> None:
    def wrong() -> Exporter:
        raise Misconfigured("APPLICATIONINSIGHTS_CONNECTION_STRING ...")

    world = World(rule(hold="PT0S"))
    world.tick(Errors=12)
    assert History(world.alerts, MemorySeries(), wrong).export(world.now) == 0
    assert len(world.alerts.log.news(9)) == 1


def test_delays_and_flaps_are_metrics() -> None:
    exported = Exported(World(rule(hold="PT0S")))
    for errors in (12, 5, 12, 5):
        exported.ticks(2, Errors=errors)
    assert exported.metric("agentmeter_alert_flaps_total") == 1
    assert exported.metric("agentmeter_alert_detection_delay_seconds_sum") == 120
    assert exported.metric("agentmeter_alert_time_to_resolve_seconds_sum") == 240
    assert exported.metric("agentmeter_alert_notify_delay_seconds_count") == 2


def test_a_decision_that_stays_the_same_is_reported_once() -> None:
    exported = Exported(World(rule(hold="PT0S")))
    exported.ticks(60, Errors=12)
    assert exported.rows().count(("alert.decision", "")) == 1


def test_a_page_that_waits_for_one_reason_is_reported_once() -> None:
    exported = Exported(World(rule(hold="PT0S")))
    exported.deliver = Deliver(exported.world.alerts, FakeReceivers({}))
    exported.ticks(10, Errors=12)
    assert exported.rows().count(("alert.page", "later")) == 1


def test_what_can_never_be_exported_is_given_up_after_a_while_and_stays_in_the_store() -> None:
    exported = Exported(World(rule(hold="PT0S")))
    exported.exporter.event_outcome = lambda row: ExportLater("HTTP 503")
    exported.ticks(1, Errors=12)
    exported.ticks(1, Errors=5)
    log = exported.world.alerts.log
    kept = list(log.steps("Errors/critical"))
    assert exported.history.forget(START) == 0
    first = log.news(9)[0]
    assert exported.history.forget(START + timedelta(minutes=1)) >= len(first.steps)
    assert first not in log.news(9)
    assert list(log.steps("Errors/critical")) == kept
