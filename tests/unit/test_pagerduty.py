"""PagerDuty over real HTTP: the stand-in's own rules say what is a right event."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pydantic import SecretStr

from local.server import serve
from shared import settings
from shared.alerting.grouping import Receiver, Routes
from shared.alerting.page import Accepted, Later, Page
from shared.clock import SystemClock
from shared.errors import Misconfigured
from shared.notify import check
from shared.notify.log import LogNotifier
from shared.notify.pagerduty import PagerDuty, encode
from shared.notify.receivers import Receivers
from shared.notify.wire import as_json
from standin.pager.sink import PagerSink, create_app
from tests.fakes import FakeClock
from tests.loopback import Reply, loopback

KEY = "0123456789abcdef0123456789abcdef"
PAGE = Page(
    id="1",
    rule="Errors/critical",
    dedup_key="agentmeter/prod/Errors/critical",
    route="critical",
    action="trigger",
    severity="critical",
    summary="[CRITICAL] High error rate: 15.0 errors a second, over 10",
    body={
        "source": "agentmeter/prod",
        "component": "Errors",
        "group": "health",
        "class": "usage rule",
        "link": "https://page.test",
        "runbook": "docs/runbooks/Errors.md",
        "custom_details": {"value": 15.0, "firing": 1},
    },
    created_at=datetime(2026, 1, 5, tzinfo=UTC),
    not_before=datetime(2026, 1, 5, tzinfo=UTC),
    reason="first",
)
RESOLVE = replace(PAGE, action="resolve")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[PagerSink, str]]:
    sink = PagerSink(None, FakeClock())
    running = serve(create_app(sink))
    yield sink, running.url
    running.stop()
    sink.close()


def pagerduty(url: str, key: str = KEY) -> PagerDuty:
    return PagerDuty(url, SecretStr(key), "PAGERDUTY_CRITICAL_KEY")


def event_of(page: Page) -> Any:
    """Return the event as it is sent, but for the key."""
    return json.loads(as_json(encode(page)))


def test_an_incident_is_opened_added_to_and_resolved(server: tuple[PagerSink, str]) -> None:
    sink, url = server
    for page in (PAGE, PAGE, RESOLVE):
        assert pagerduty(url).send(page) == Accepted(202)
    (incident,) = sink.incidents()
    assert (incident.dedup_key, incident.summary) == (PAGE.dedup_key, PAGE.summary)
    assert (incident.severity, incident.triggers) == ("critical", 2)
    assert incident.resolved_at is not None


def test_every_page_however_long_is_an_event_that_pagerduty_takes(
    server: tuple[PagerSink, str],
) -> None:
    long = replace(
        PAGE,
        summary="é" * 2000,
        dedup_key="k" * 300,
        body=dict(PAGE.body)
        | {
            "custom_details": {
                "value": 15.0,
                "contributors": ["x" * 520_000],
                "members": ["x" * 600_000],
            }
        },
    )
    assert pagerduty(server[1]).send(long) == Accepted(202)
    event = event_of(long)
    assert event["payload"]["summary"].endswith("é … (cut)")
    assert len(event["payload"]["summary"]) == 1024
    assert len(event["dedup_key"]) <= 255
    assert event["payload"]["custom_details"] == {
        "value": 15.0,
        "left_out": "members, contributors: PagerDuty takes 512 KB",
    }


def test_what_is_sent_says_what_where_and_how_to_find_out_more() -> None:
    event = event_of(PAGE)
    assert event == {
        "event_action": "trigger",
        "dedup_key": PAGE.dedup_key,
        "payload": {
            "summary": PAGE.summary,
            "source": "agentmeter/prod",
            "severity": "critical",
            "timestamp": "2026-01-05T00:00:00+00:00",
            "component": "Errors",
            "group": "health",
            "class": "usage rule",
            "custom_details": {"value": 15.0, "firing": 1},
        },
        "client": "agentmeter",
        "client_url": "https://page.test",
        "links": [{"href": "https://page.test", "text": "agentmeter"}],
    }


def test_a_page_with_endless_links_is_sent_without_them(server: tuple[PagerSink, str]) -> None:
    links = [{"text": "Query", "href": "https://portal.test/" + "q" * 600_000}]
    page = replace(PAGE, body={**PAGE.body, "links": links})
    assert pagerduty(server[1]).send(page) == Accepted(202)


def test_links_that_were_made_for_the_page_are_below_it() -> None:
    made = [{"text": "Query in the portal", "href": "https://portal.test/q"}]
    event = event_of(replace(PAGE, body={**PAGE.body, "links": made}))
    assert [link["text"] for link in event["links"]] == ["agentmeter", "Query in the portal"]


def test_a_runbook_with_an_address_is_a_link() -> None:
    linked = replace(PAGE, body={"runbook": "https://wiki.test/errors"})
    assert event_of(linked)["links"] == [{"href": "https://wiki.test/errors", "text": "Runbook"}]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(202, b"{}"), Accepted(202)),
        (Reply(429, b"slow", {"Retry-After": "90"}), Later("HTTP 429: slow", 90, "busy")),
        (Reply(503, b""), Later("HTTP 503: ")),
        (Reply(503, b"", {"Retry-After": "soon"}), Later("HTTP 503: ")),
        (Reply(403, b"no"), Later("HTTP 403: no", cause="repair")),
        (
            Reply(302, b"", {"Location": "https://elsewhere.test"}),
            Later("HTTP 302: ", cause="repair"),
        ),
        (Reply(500, f"bad key {KEY}".encode()), Later("HTTP 500: bad key ***")),
    ],
)
def test_an_answer_is_one_attempt_and_says_what_next(
    reply: Reply, expected: Accepted | Later
) -> None:
    with loopback(lambda _: reply) as service:
        assert pagerduty(service.url).send(PAGE) == expected
        assert len(service.received) == 1


def test_a_date_to_try_again_is_understood() -> None:
    soon = format_datetime(SystemClock().now() + timedelta(seconds=90), usegmt=True)
    with loopback(lambda _: Reply(503, b"", {"Retry-After": soon})) as service:
        outcome = pagerduty(service.url).send(PAGE)
    assert isinstance(outcome, Later)
    assert outcome.retry_after_s
    assert 60 < outcome.retry_after_s <= 90  # from when the answer is read, on a busy machine too


def test_no_answer_is_tried_later() -> None:
    with loopback(lambda _: "hang up") as service:
        assert pagerduty(service.url).send(PAGE) == Later(
            "PagerDuty did not answer (ConnectionError)."
        )


def test_without_a_key_the_page_waits_and_names_the_setting() -> None:
    assert pagerduty("http://127.0.0.1:9", key="").send(PAGE) == Later(
        "There is no routing key. Set PAGERDUTY_CRITICAL_KEY.", cause="repair"
    )


def test_the_key_stands_in_the_event_and_nowhere_else() -> None:
    with loopback(lambda _: Reply(202)) as service:
        notifier = pagerduty(service.url)
        notifier.send(PAGE)
        assert service.received[0].json()["routing_key"] == KEY
    assert KEY not in repr(vars(notifier))


def read_settings(**given: str) -> settings.Settings:
    required = {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=0",
        "LOGS_WORKSPACE_ID": "w",
    }
    return settings.read(required | given)


TO_ALL = replace(PAGE, route="all")


def routes(**receiver: str) -> Routes:
    everything = {"severities": ["critical", "error", "warning", "info"]}
    return Routes(receivers={"all": Receiver.model_validate(everything | receiver)})


def test_notifiers_are_made_as_the_routes_say() -> None:
    with loopback(lambda _: Reply(202)) as service:
        given = read_settings(PAGERDUTY_CRITICAL_KEY=KEY, PAGERDUTY_URL=service.url)
        paged = Receivers(lambda: routes(key="PAGERDUTY_CRITICAL_KEY"), given)
        assert paged.notifier(TO_ALL).send(TO_ALL) == Accepted(202)
        assert service.received[0].json()["routing_key"] == KEY
    logged = Receivers(lambda: routes(notifier="log"), read_settings())
    assert logged.notifier(TO_ALL).send(TO_ALL) == Accepted(200)


@pytest.mark.parametrize(
    ("receiver", "said"),
    [
        (
            {"notifier": "pigeon"},
            "receivers.all.notifier: 'pigeon' is none of pagerduty, webhook, slack, teams, log",
        ),
        ({"key": "PAGERDUTY_SECRET"}, "receivers.all.key: there is no secret setting PAGERDUTY_S"),
        ({"key": "PAGERDUTY_URL"}, "receivers.all.key: there is no secret setting PAGERDUTY_URL"),
    ],
)
def test_a_route_to_nowhere_is_refused(receiver: dict[str, str], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        check(routes(**receiver))


def test_the_log_is_a_receiver_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "shared.notify.log"):
        assert LogNotifier().send(PAGE) == Accepted(200)
    said = json.loads(caplog.records[0].getMessage())
    assert (said["page"], said["summary"]) == ("trigger", PAGE.summary)
