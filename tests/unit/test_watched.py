"""The heartbeat: it beats after a complete tick, and only then."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from shared.alerting.grouping import parse_routes
from shared.alerting.page import Accepted, Delivery, Later, Page
from shared.alerting.rule import Rule
from shared.errors import Misconfigured, RetryLater
from shared.metrics.points import Sampled
from shared.notify.heartbeat import Heartbeat
from shared.ports import Table
from shared.usecases.evaluation.deliver import Deliver
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.history import History
from shared.usecases.evaluation.own_gauges import Vitals
from shared.usecases.evaluation.spaced import Spaced
from shared.usecases.evaluation.tick import Tick, Watched
from shared.usecases.evaluation.write_metrics import Minutely
from tests.fakes import FakeExporter, FakeReceivers
from tests.in_memory import MemoryAlerts, MemoryMark, MemorySeries
from tests.loopback import Reply, loopback

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROUTES = parse_routes(
    '[receivers.all]\nseverities = ["critical", "error", "warning", "info"]\ngroup_wait = "PT0S"\n',
    "routes.toml",
)
RULE = Rule.model_validate(
    {
        "name": "Errors",
        "group": "health",
        "severity": "warning",
        "window": "PT5M",
        "condition": "> 10",
        "summary": "errors",
        "query": "{start} {end}",
    }
)
CHECK = "a-long-check-id"


def put(messages: Sequence[str]) -> None:
    """Take a heartbeat for the queue."""


class Log:
    def __init__(self, fails: bool) -> None:
        self._fails = fails

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        if self._fails:
            raise RetryLater("HTTP 502")
        return Table(("value",), ((12,),))


class FakeReceiver:
    def __init__(self, answer: Delivery) -> None:
        self._answer = answer

    def send(self, page: Page) -> Delivery:
        return self._answer


@pytest.mark.parametrize(
    ("fails", "answer", "beats"),
    [
        pytest.param(False, Accepted(202), 1, id="complete"),
        pytest.param(True, Accepted(202), 0, id="a-query-failed"),
        pytest.param(False, Later("HTTP 503"), 0, id="a-page-waits"),
    ],
)
def test_it_beats_after_a_complete_tick_alone(fails: bool, answer: Delivery, beats: int) -> None:
    alerts = MemoryAlerts()
    evaluate = Evaluate(lambda: [RULE], Log(fails), alerts, lambda: ROUTES, "test", "")
    vitals = Vitals(alerts, MemorySeries())
    history = History(alerts, MemorySeries(), FakeExporter)
    minutely = Minutely(MemorySeries(), MemoryMark(), FakeExporter)
    tick = Tick(
        Deliver(alerts, FakeReceivers({"all": FakeReceiver(answer)})),
        evaluate,
        history,
        vitals,
        minutely,
        put,
    )
    with loopback(lambda _: Reply(200)) as watcher:
        Watched(tick, Heartbeat(SecretStr(f"{watcher.url}/ping/{CHECK}"))).run(NOON)
    assert [call.path for call in watcher.received] == [f"/ping/{CHECK}"] * beats


def test_metrics_are_written_even_if_the_rules_cannot_be_read() -> None:
    def unreadable() -> list[Rule]:
        raise Misconfigured("rules/a.toml, line 1. Fix it.")

    alerts, series, exporter = MemoryAlerts(), MemorySeries(), FakeExporter()
    evaluate = Evaluate(unreadable, Log(fails=False), alerts, lambda: ROUTES, "test", "")
    history = History(alerts, series, lambda: exporter)
    minutely = Minutely(series, MemoryMark(), lambda: exporter)
    deliver = Deliver(alerts, FakeReceivers({"all": FakeReceiver(Accepted(202))}))
    tick = Tick(deliver, evaluate, history, Vitals(alerts, series), minutely, put)
    series.apply("batch", [Sampled("task_queue_size", (), "a", NOON, 7.0)], NOON)
    with pytest.raises(Misconfigured):
        tick.run(NOON)
    assert ("task_queue_size", 7.0) in [(row.name, row.total) for row in exporter.metric_rows]


@pytest.mark.parametrize("reply", [Reply(500), "hang up"])
def test_a_watcher_that_is_down_stops_nothing_and_its_address_is_not_said(
    reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with loopback(lambda _: reply) as watcher:
        Heartbeat(SecretStr(f"{watcher.url}/{CHECK}")).beat()
    assert "HEARTBEAT_URL" in caplog.text
    assert CHECK not in caplog.text


def test_a_watcher_that_redirects_is_not_followed(caplog: pytest.LogCaptureFixture) -> None:
    with loopback(lambda _: Reply(302, b"", {"Location": "/elsewhere"})) as watcher:
        Heartbeat(SecretStr(f"{watcher.url}/{CHECK}")).beat()
    assert len(watcher.received) == 1
    assert "HEARTBEAT_URL answered 302" in caplog.text


def test_without_an_address_nothing_is_called() -> None:
    Heartbeat(SecretStr("")).beat()


@pytest.mark.parametrize(
    ("every_s", "runs"), [(15, [0, 15, 30, 45, 60]), (30, [0, 30, 60]), (60, [0, 60])]
)
def test_runs_of_the_timer_are_left_out_as_set(every_s: int, runs: list[int]) -> None:
    spaced = Spaced()
    came = [0, 15, 31, 45, 60]
    due = [s for s in came if spaced.is_due(NOON + timedelta(seconds=s), every_s)]
    assert due == [s if s != 30 else 31 for s in runs]
