"""What every notifier promises, over real HTTP."""

import json
import logging
import math
import traceback
from dataclasses import replace

import pytest
from pydantic import SecretStr

from shared.alerting.grouping import Receiver
from shared.alerting.page import Accepted, Answer, Later, Page
from shared.notify import NOTIFIERS
from shared.notify.ladder import Ladder
from shared.settings import read
from tests.loopback import Reply, Request, loopback
from tests.paged import CHANGE, NOON, OK, OVER_HTTP, PAGE, REQUIRED, RESOLVE, SECRET, made, sent


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("page", [PAGE, RESOLVE, CHANGE], ids=["trigger", "resolve", "change"])
def test_a_page_is_taken_in_one_call(kind: str, page: Page) -> None:
    outcome, calls = sent(kind, Reply(OK[kind]), page)
    assert outcome == Accepted(OK[kind])
    assert len(calls) == 1
    assert calls[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 502, 503, 504])
def test_what_may_pass_or_be_fixed_waits_as_long_as_asked(kind: str, status: int) -> None:
    outcome, calls = sent(kind, Reply(status, b"busy", {"Retry-After": "90"}))
    assert isinstance(outcome, Later)
    assert outcome.retry_after_s == 90
    assert f"HTTP {status}: busy" in outcome.why
    assert len(calls) == 1


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("page", [PAGE, RESOLVE], ids=["trigger", "resolve"])
def test_a_page_refused_in_every_form_waits_for_a_repair(kind: str, page: Page) -> None:
    outcome, calls = sent(kind, Reply(400, b"invalid key"), page)
    assert isinstance(outcome, Later)
    assert (outcome.cause, "invalid key" in outcome.why) == ("repair", True)
    assert len(calls) == 4


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(
    ("poison", "form"),
    [(b"page.test", "no links"), (b"detail", "no details"), (b"agentmeter/prod", "bare")],
)
def test_a_page_goes_out_in_the_barest_form_taken(kind: str, poison: bytes, form: str) -> None:
    def picky(request: Request) -> Reply:
        return Reply(400 if poison in request.body else OK[kind])

    details = {"value": 15, "threshold": "> 10", "description": "detail"}
    body = {**PAGE.body, "custom_details": details}
    page = replace(PAGE, dedup_key="key", summary="errors", body=body)
    with loopback(picky) as server:
        assert made(kind, server.url).send(page) == Accepted(OK[kind]), form
        assert b"errors" in server.received[-1].body


class Clumsy:
    """Cannot write a page that has details."""

    def send(self, page: Page) -> Answer:
        return Accepted(len(page.body["custom_details"]) if page.body else 200)  # type: ignore[arg-type]


def test_a_form_that_cannot_be_written_gives_way_to_a_barer_one() -> None:
    page = replace(PAGE, body={"custom_details": 1, "source": "s"})
    assert Ladder(Clumsy()).send(page) == Accepted(200)


BROKEN = [
    "https//grafana.test/d/x",
    "grafana.test/d/x",
    "https:/grafana.test/d/x",
    "https://[x",
    "https://a b",
]


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("link", BROKEN)
def test_a_broken_link_is_left_out_alone(kind: str, link: str) -> None:
    links = [{"text": "Bad", "href": link}, {"text": "Good", "href": "https://good.test"}]
    page = replace(PAGE, body={**PAGE.body, "link": link, "links": links})
    outcome, (call,) = sent(kind, Reply(OK[kind]), page)
    assert isinstance(outcome, Accepted)
    assert b"good.test" in call.body
    if kind != "webhook":
        assert link.encode() not in call.body


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("summary", ["", "  ", "half \ud83d", "a\x00b\x1b[31m", "é" * 5000])
def test_any_summary_is_sent(kind: str, summary: str) -> None:
    details = {"labels": {"TeamId": "\udcff"}, "value": math.inf, "threshold": "> 1"}
    page = replace(PAGE, summary=summary, body={"custom_details": details})
    outcome, (call,) = sent(kind, Reply(OK[kind]), page)
    assert isinstance(outcome, Accepted)
    json.loads(call.body, parse_constant=pytest.fail)
    assert b"inf" in call.body


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(
    ("status", "cause"),
    [(429, "busy"), (401, "repair"), (404, "repair"), (302, "repair"), (500, "unclear")],
)
def test_the_cause_of_a_wait_is_known(kind: str, status: int, cause: str) -> None:
    outcome, _ = sent(kind, Reply(status))
    assert isinstance(outcome, Later)
    assert outcome.cause == cause


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_redirect_is_not_followed(kind: str) -> None:
    outcome, calls = sent(kind, Reply(302, b"", {"Location": "/elsewhere"}))
    assert isinstance(outcome, Later)
    assert len(calls) == 1


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_no_answer_is_later(kind: str) -> None:
    with loopback(lambda _: "hang up") as server:
        outcomes = [made(kind, server.url).send(PAGE)]
        assert len(server.received) == 1
    outcomes.append(made(kind, server.url).send(PAGE))
    assert all(isinstance(outcome, Later) for outcome in outcomes)


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_silence_ends_after_the_time_limit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.notify.call.TIMEOUT_S", (1, 0.2))
    with loopback(lambda _: "silence") as server:
        outcome = made(kind, server.url).send(PAGE)
    assert isinstance(outcome, Later)
    assert "ReadTimeout" in outcome.why


@pytest.mark.parametrize("kind", sorted(NOTIFIERS))
@pytest.mark.parametrize("echo", [True, False], ids=["echoed", "unreachable"])
def test_no_secret_is_ever_said(kind: str, echo: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "urllib3")  # as quiet_sdk() does in the app

    def behave(request: Request) -> Reply:
        return Reply(500, f"{request.path} {request.body.decode()} {SECRET}".encode())

    with loopback(behave) as server:
        notifier = made(kind, server.url if echo else "http://127.0.0.1:1")
        outcome = notifier.send(PAGE)
    known = [repr(outcome), repr(notifier), repr(vars(notifier)), *map(_whole, caplog.records)]
    assert SECRET not in "".join(known)


def _whole(record: logging.LogRecord) -> str:
    """Return all that a record says."""
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return record.getMessage() + trace


@pytest.mark.parametrize("kind", sorted(NOTIFIERS))
def test_a_page_without_details_or_with_odd_ones_is_sent_too(kind: str) -> None:
    for body in ({}, {"custom_details": {"when": NOON, "nan": float("nan")}}):
        outcome, _ = sent(kind, Reply(OK.get(kind, 200)), replace(PAGE, body=body))
        assert isinstance(outcome, Accepted)


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_without_a_secret_it_waits_and_names_the_setting(kind: str) -> None:
    receiver = Receiver(severities=("critical",), notifier=kind, key="WEBHOOK_SECRET")
    settings = read(
        {
            **REQUIRED,
            "WEBHOOK_URL": "http://127.0.0.1:1",
        }
    )
    outcome = NOTIFIERS[kind].make(receiver, SecretStr(""), settings).send(PAGE)
    assert isinstance(outcome, Later)
    assert "Set WEBHOOK_SECRET." in outcome.why
