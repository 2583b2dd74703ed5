"""Sends pages to a channel of Microsoft Teams, by the webhook of a workflow."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import SecretStr

from shared.alerting.page import Answer, Later, Page
from shared.notify.figures import figures
from shared.notify.webhook import deliver
from shared.notify.wire import as_json, is_link, title

TITLE_MAX, TEXT_MAX = 500, 3000
ACTIONS_MAX = 6
"""A card shows no more buttons than these."""
COLORS = {"critical": "attention", "error": "attention", "warning": "warning"}
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
CARD = "application/vnd.microsoft.card.adaptive"


class Teams:
    """A workflow that posts a card; fits ladder.Receiving. Its URL is its secret."""

    def __init__(self, url: SecretStr, url_setting: str) -> None:
        """url_setting: what to set where the URL is empty."""
        self._url = url
        self._url_setting = url_setting

    def send(self, page: Page) -> Answer:
        """Make one attempt; what an answer means is as for any webhook."""
        if not self._url.get_secret_value():
            why = f"There is no address. Set {self._url_setting or 'receivers.*.key'}."
            return Later(why, cause="repair")
        attachment = {"contentType": CARD, "contentUrl": None, "content": _card(page)}
        return deliver(self._url, as_json({"type": "message", "attachments": [attachment]}), {})


def _card(page: Page) -> Mapping[str, object]:
    """Return an adaptive card: what it is, the figures behind it, and what to open."""
    resolved, changed = page.action == "resolve", page.action == "change"
    color = "good" if resolved else "accent" if changed else COLORS.get(page.severity, "default")
    first = f"{'Resolved: ' if resolved else ''}{title(page, TITLE_MAX)}"
    return {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [
            {**_text(first), "weight": "bolder", "size": "medium", "color": color},
            *map(_text, figures(page)),
            {**_text(" · ".join((page.reason, *_runbook(page.body)))), "isSubtle": True},
        ],
        "actions": [*_actions(page.body)][:ACTIONS_MAX],
    }


def _text(text: str) -> Mapping[str, object]:
    """Return a block of text; what Markdown would format is escaped."""
    plain = "".join(f"\\{c}" if c in "\\*_[]#`" else c for c in text[:TEXT_MAX])
    return {"type": "TextBlock", "text": plain, "wrap": True}


def _runbook(body: Mapping[str, object]) -> Iterator[str]:
    """Yield where the runbook is, unless a button opens it."""
    links = cast("Sequence[Mapping[str, str]]", body.get("links") or ())
    if body.get("runbook") and not any(link["text"] == "Runbook" for link in links):
        yield str(body["runbook"])


def _actions(body: Mapping[str, object]) -> Iterator[Mapping[str, str]]:
    """Yield a button for each address to open."""
    links = cast("Sequence[Mapping[str, str]]", body.get("links") or ())
    for link in ({"text": "agentmeter", "href": body.get("link")}, *links):
        if is_link(link["href"]):
            yield {"type": "Action.OpenUrl", "title": str(link["text"]), "url": str(link["href"])}
