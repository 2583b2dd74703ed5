"""A deployment or change is announced once to each receiver, and pages no one."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from local.server import serve
from shared.alerting.compose import Sender
from shared.alerting.grouping import parse_routes
from shared.alerting.page import Accepted, Dead, Delivery, Later, Page, Refused
from shared.alerting.record import RuleRecord
from shared.errors import Misconfigured, RetryLater
from shared.notify.pagerduty import PagerDuty
from shared.usecases.evaluation.announce import CHANGES, Announce, distinct_receivers
from shared.usecases.evaluation.deliver import Deliver
from standin.pager.sink import PagerSink, create_app
from tests.fakes import FakeClock, FakeReceivers
from tests.in_memory import MemoryAlerts
from tests.loopback import Reply, loopback

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SENDER = Sender("prod", "https://page.test")
ROUTES = parse_routes(
    """
    [receivers.critical]
    severities = ["critical"]
    key = "PAGERDUTY_CRITICAL_KEY"
    [receivers.twin]
    severities = ["error"]
    key = "PAGERDUTY_CRITICAL_KEY"
    [receivers.others]
    severities = ["warning", "info"]
    notifier = "log"
    """,
    "routes.toml",
)


class World:
    """What is in force, and what is told of it, a minute after the other."""

    def __init__(self) -> None:
        self.alerts, self.now = MemoryAlerts(), NOON
        self.rules: dict[str, str] | None = {"a.toml": "1", "b.toml": "1"}
        self.version, self.code = "1.0", ""
        kinds = {"version": self.deployed, "rules": self.read}
        self.announce = Announce(self.alerts, lambda: ROUTES, SENDER, kinds)

    def deployed(self) -> dict[str, str]:
        return {"version": self.version, "code": self.code}

    def read(self) -> dict[str, str]:
        if self.rules is None:
            raise Misconfigured("rules/a.toml: ...")
        return self.rules

    def tick(self) -> list[str]:
        """Return what was found to have changed."""
        self.now += MINUTE
        return [change.said for change in self.announce.run(self.now)]

    def waiting(self) -> list[Page]:
        return list(self.alerts.waiting())


def test_a_first_start_is_no_change() -> None:
    world = World()
    assert [world.tick() for _ in range(3)] == [[], [], []]
    assert world.waiting() == []


def test_a_change_is_announced_once_to_each_receiver() -> None:
    world = World()
    world.tick()
    world.version = "1.1"
    world.rules = {"a.toml": "2", "c.toml": "1"}
    assert world.tick() == [
        "version 1.1 is deployed, after 1.0",
        "changed a.toml; added c.toml; removed b.toml",
    ]
    assert world.tick() == []
    assert sorted((page.action, page.route) for page in world.waiting()) == [
        ("change", "critical"), ("change", "critical"), ("change", "others"), ("change", "others"),
    ]  # fmt: skip


def test_a_deployment_is_known_since_when() -> None:
    world, seen = World(), list[datetime | None]()
    for version, code in [("1.0", "a"), ("1.0", "a"), ("1.0", "b"), ("1.1", "c"), ("1.1", "c")]:
        world.version, world.code = version, code
        world.tick()
        seen.append(world.alerts.load(CHANGES).deployed_at)
    assert seen == [NOON + n * MINUTE for n in (1, 1, 3, 4, 4)]


def test_a_deployment_of_an_earlier_edition_was_just_upgraded() -> None:
    world = World()
    contents = {"version": {"version": "1.0", "code": ""}}
    world.alerts.save(RuleRecord(CHANGES, contents=contents), [])
    assert world.tick() == []
    assert world.alerts.load(CHANGES).deployed_at == NOON + MINUTE


def test_other_code_of_the_same_version_is_reported() -> None:
    world = World()
    world.tick()
    world.code = "b"
    assert world.tick() == ["other code of version 1.0 is deployed"]


def test_receivers_of_one_receiver_are_reported_as_one() -> None:
    assert distinct_receivers(ROUTES) == ["critical", "others"]


def test_a_wrong_file_is_no_change_until_it_is_right_again() -> None:
    world = World()
    world.tick()
    world.rules = None
    assert world.tick() == []
    world.rules = {"a.toml": "1", "b.toml": "1"}
    assert world.tick() == []
    world.rules = {"a.toml": "1"}
    assert world.tick() == ["removed b.toml"]


def test_of_two_instances_one_says() -> None:
    world, new = World(), {"version": "1.1"}
    world.tick()
    rival = Announce(world.alerts, lambda: ROUTES, SENDER, {"version": lambda: new})

    def read_while_another_announces() -> dict[str, str]:
        rival.run(world.now + MINUTE)
        return new

    slow = Announce(world.alerts, lambda: ROUTES, SENDER, {"version": read_while_another_announces})
    with pytest.raises(RetryLater):
        slow.run(world.now + MINUTE)
    assert len(world.waiting()) == 2


class FakeReceiver:
    def __init__(self, answer: Delivery) -> None:
        self.answer = answer

    def send(self, page: Page) -> Delivery:
        return self.answer


def test_a_change_that_no_one_takes_rings_no_alarm_and_is_dropped_after_an_hour() -> None:
    world = World()
    world.tick()
    world.version = "1.1"
    world.tick()
    deliver = Deliver(
        world.alerts,
        FakeReceivers(
            {"critical": FakeReceiver(Later("503")), "others": FakeReceiver(Dead("400"))}
        ),
    )
    report = deliver.run(world.now)
    assert (report.later, len(report.attempts)) == (0, 2)
    for _ in range(61):
        world.now += MINUTE
        deliver.run(world.now)
    assert world.waiting() == []


def changed() -> Page:
    world = World()
    world.tick()
    world.version = "1.1"
    world.tick()
    return world.waiting()[0]


def test_pagerduty_takes_it_as_a_change_event() -> None:
    sink = PagerSink(None, FakeClock())
    server = serve(create_app(sink))
    notifier = PagerDuty(server.url, SecretStr("c" * 32), "PAGERDUTY_CRITICAL_KEY")
    try:
        assert notifier.send(changed()) == Accepted(202)
    finally:
        server.stop()
    (event,) = sink.events()
    payload: Any = event["payload"]
    assert (event["kind"], event["effect"], sink.incidents()) == ("change", "change", [])
    assert payload["payload"]["summary"] == ("agentmeter/prod: version 1.1 is deployed, after 1.0")
    assert payload["links"] == [{"href": "https://page.test", "text": "agentmeter"}]
    sink.close()


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, Refused), (429, Later), (500, Later), (401, Later)]
)
def test_what_pagerduty_says_of_a_change_is_heeded(status: int, outcome: type) -> None:
    with loopback(lambda _: Reply(status)) as service:
        notifier = PagerDuty(service.url, SecretStr("c" * 32), "PAGERDUTY_CRITICAL_KEY")
        assert isinstance(notifier.send(changed()), outcome)
        assert service.received[0].path == "/v2/change/enqueue"


def test_a_change_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    changed()
    assert "version 1.1 is deployed, after 1.0" in caplog.text
