"""What each kind of notifier shows of a page, over real HTTP."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from shared.alerting.page import Page
from shared.notify.webhook import SIGNATURE
from tests.loopback import Reply
from tests.paged import CHANGE, NOON, PAGE, RESOLVE, SECRET, sent


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


def test_slack_is_reported_in_a_line_that_mentions_no_one() -> None:
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
def test_teams_says_a_resolve_by_word_and_color(page: Page, begins: str, color: str) -> None:
    first = card(page)["body"][0]
    assert first["text"].startswith(begins)
    assert first["color"] == color
