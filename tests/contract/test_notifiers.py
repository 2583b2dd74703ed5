"""What every road to a person promises, over real HTTP."""

import hashlib
import hmac
import json
import logging
import math
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from shared.alerting.grouping import Receiver, parse_routes
from shared.alerting.page import Accepted, Answer, Delivery, Later, Page
from shared.errors import Misconfigured
from shared.notify import NOTIFIERS, build
from shared.notify.ladder import Ladder
from shared.notify.webhook import SIGNATURE
from shared.ports import Notifier
from shared.settings import read
from tests.loopback import Reply, Request, loopback

SECRET = "0123456789abcdef" * 2
REQUIRED = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=0",
    "LOGS_WORKSPACE_ID": "w",
}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAGE = Page(
    id="20261123-1",
    rule="Errors/critical",
    dedup_key="agentmeter/prod/Errors/critical",
    route="critical",
    action="trigger",
    severity="critical",
    summary="[CRITICAL] <!channel> & über 10 errors a second",
    body={
        "source": "agentmeter/prod",
        "link": "https://page.test",
        "custom_details": {"value": 15},
    },
    created_at=NOON,
    not_before=NOON,
    reason="first",
)
RESOLVE = replace(PAGE, action="resolve")
CHANGE = replace(PAGE, action="change")
OVER_HTTP = sorted(NOTIFIERS.keys() - {"log"})
OK = {"pagerduty": 202, "webhook": 204, "slack": 200, "teams": 202}
BY_ADDRESS = {"slack", "teams"}
"""What is reached by an address that is its secret."""


def made(kind: str, url: str) -> Notifier:
    """Return the notifier as config/routes.toml and the settings make it; its secret is SECRET."""
    key = SecretStr(f"{url}/{SECRET}" if kind in BY_ADDRESS else SECRET)
    settings = read(
        {
            **REQUIRED,
            "PAGERDUTY_URL": url,
            "WEBHOOK_URL": f"{url}/{SECRET}",
        }
    )
    receiver = Receiver(severities=("critical",), notifier=kind, key="WEBHOOK_SECRET")
    return Ladder(NOTIFIERS[kind](receiver, key, settings))


def sent(kind: str, reply: Reply, page: Page = PAGE) -> tuple[Delivery, list[Request]]:
    """Return what became of the page, and the calls that were made."""
    with loopback(lambda _: reply) as server:
        return made(kind, server.url).send(page), server.received


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("page", [PAGE, RESOLVE, CHANGE], ids=["trigger", "resolve", "change"])
def test_a_page_is_taken_in_one_call(kind: str, page: Page) -> None:
    outcome, calls = sent(kind, Reply(OK[kind]), page)
    assert outcome == Accepted(OK[kind])
    assert len(calls) == 1
    assert calls[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 502, 503, 504])
def test_what_may_pass_or_be_mended_waits_as_long_as_asked(kind: str, status: int) -> None:
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

    def behave(request: Request) -> Reply:
        return Reply(500, f"{request.path} {request.body.decode()} {SECRET}".encode())

    with loopback(behave) as server:
        notifier = made(kind, server.url if echo else "http://127.0.0.1:1")
        outcome = notifier.send(PAGE)
    known = [repr(outcome), repr(notifier), repr(vars(notifier)), *map(_whole, caplog.records)]
    assert SECRET not in "".join(known)


def _whole(record: logging.LogRecord) -> str:
    """Return all that a record says; quiet_sdk() mutes urllib3's debugging in the app."""
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return record.getMessage() + trace if not record.name.startswith("urllib3") else ""


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
    outcome = NOTIFIERS[kind](receiver, SecretStr(""), settings).send(PAGE)
    assert isinstance(outcome, Later)
    assert "Set WEBHOOK_SECRET." in outcome.why


def test_a_webhook_is_signed_over_its_time_and_its_very_bytes() -> None:
    page = replace(PAGE, tried_at=NOON)
    _, (call,) = sent("webhook", Reply(204), page)
    fields = dict(part.split("=") for part in call.headers[SIGNATURE.lower()].split(","))
    signed = f"{fields['t']}.".encode() + call.body
    assert fields["v1"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert int(fields["t"]) == NOON.timestamp()
    assert call.headers["idempotency-key"] == page.id
    said = call.json()
    assert (said["action"], said["summary"]) == ("trigger", PAGE.summary)
    assert said["custom_details"] == {"value": 15}


def test_slack_is_told_in_a_line_that_mentions_nobody() -> None:
    _, (opened,) = sent("slack", Reply(200))
    text = json.loads(opened.body)["text"]
    assert text.startswith(":red_circle: *[CRITICAL] &lt;!channel&gt; &amp; über 10")
    assert "<https://page.test|agentmeter>" in text
    _, (closed,) = sent("slack", Reply(200), RESOLVE)
    assert json.loads(closed.body)["text"].startswith(":white_check_mark: Resolved: *")


FULL = replace(
    PAGE,
    body={
        "link": "https://page.test",
        "links": [{"text": "Query in the portal", "href": "https://portal.test/q"}],
        "runbook": "docs/runbooks/Errors.md",
        "custom_details": {
            "description": "Errors come at 15 a second.",
            "value": 15.25,
            "threshold": "> 10",
            "window_s": 300.0,
            "samples": 4575,
            "labels": {"Source": "<a>"},
            "firing": 3,
            "contributors": [{"Component": c, "Errors": n} for n, c in enumerate("abcd")],
        },
    },
)


def test_slack_shows_the_figures_and_where_to_look() -> None:
    _, (opened,) = sent("slack", Reply(200), FULL)
    assert json.loads(opened.body)["text"].splitlines()[1:] == [
        "Errors come at 15 a second.",
        "15.25 of 4575 samples, where &gt; 10 is wrong, over 5 min (Source &lt;a&gt;); 2 more",
        "Most of it: Component a, Errors 0; Component b, Errors 1; Component c, Errors 2",
        "_first_  <https://page.test|agentmeter>  <https://portal.test/q|Query in the portal>"
        "  docs/runbooks/Errors.md",
    ]


def test_a_webhook_gets_the_links_too() -> None:
    _, (call,) = sent("webhook", Reply(204), FULL)
    assert call.json()["links"] == FULL.body["links"]


def card(page: Page) -> dict[str, Any]:
    """Return the card that Teams gets for the page."""
    _, (call,) = sent("teams", Reply(202), page)
    said = call.json()
    assert said["type"] == "message"
    (attachment,) = said["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    return attachment["content"]


def test_teams_shows_the_figures_and_buttons_to_open() -> None:
    shown = card(FULL)
    assert (shown["type"], shown["version"]) == ("AdaptiveCard", "1.4")
    assert [block["text"] for block in shown["body"]] == [
        r"\[CRITICAL\] <!channel> & über 10 errors a second",
        "Errors come at 15 a second.",
        "15.25 of 4575 samples, where > 10 is wrong, over 5 min (Source <a>); 2 more",
        "Most of it: Component a, Errors 0; Component b, Errors 1; Component c, Errors 2",
        "first · docs/runbooks/Errors.md",
    ]
    assert [(action["title"], action["url"]) for action in shown["actions"]] == [
        ("agentmeter", "https://page.test"),
        ("Query in the portal", "https://portal.test/q"),
    ]


@pytest.mark.parametrize(
    ("page", "begins", "color"),
    [(PAGE, r"\[CRITICAL", "attention"), (RESOLVE, "Resolved: ", "good"), (CHANGE, "", "accent")],
)
def test_teams_tells_a_resolve_by_word_and_color(page: Page, begins: str, color: str) -> None:
    first = card(page)["body"][0]
    assert first["text"].startswith(begins)
    assert first["color"] == color


ROUTES = """
[receivers.all]
severities = ["critical", "error", "warning", "info"]
notifier = "slack"
key = "RECEIVER_FIRST"

[receivers.second]
notifier = "slack"
key = "RECEIVER_SECOND"

[receivers.hook]
notifier = "webhook"
url = "RECEIVER_HOOK"
key = "RECEIVER_HOOK_SECRET"

[receivers.unset]
notifier = "teams"
key = "RECEIVER_NOT_SET"
"""


def test_any_number_of_receivers_needs_no_code() -> None:
    with loopback(lambda _: Reply(200)) as server:
        names = ("FIRST", "SECOND", "HOOK", "HOOK_SECRET")
        secrets = {f"RECEIVER_{name}": f"{server.url}/{name}" for name in names}
        made = build(parse_routes(ROUTES, "routes.toml"), read({**REQUIRED, **secrets}))
        for name in ("all", "second", "hook"):
            assert made[name].send(PAGE) == Accepted(200)
        waiting = made["unset"].send(PAGE)
    assert [call.path for call in server.received] == ["/FIRST", "/SECOND", "/HOOK"]
    assert SIGNATURE.lower() in server.received[2].headers
    assert isinstance(waiting, Later)
    assert "Set RECEIVER_NOT_SET." in waiting.why


@pytest.mark.parametrize("setting", ["LOG_LEVEL", "NO_SUCH_SETTING"])
def test_a_receiver_names_no_setting_that_is_no_secret(setting: str) -> None:
    routes = parse_routes(ROUTES.replace("RECEIVER_FIRST", setting), "routes.toml")
    with pytest.raises(Misconfigured, match=f"all.key: there is no secret setting {setting}"):
        build(routes, read(REQUIRED))


def test_the_settings_never_show_a_receivers_secret() -> None:
    assert SECRET not in repr(read({**REQUIRED, "RECEIVER_X": SECRET}))
