"""Sends pages to Slack, or to any service that takes Slack's incoming webhooks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import SecretStr

from shared.alerting.page import Answer, Later, Page
from shared.notify.figures import figures
from shared.notify.webhook import deliver
from shared.notify.wire import as_json, is_link, title

TEXT_MAX = 3000
SIGNS = {"critical": ":red_circle:", "error": ":large_orange_circle:", "warning": ":warning:"}


class Slack:
    """An incoming webhook; fits ladder.Receiving. Its URL is its secret."""

    def __init__(self, url: SecretStr, url_setting: str) -> None:
        """url_setting: what to set where the URL is empty."""
        self._url = url
        self._url_setting = url_setting

    def send(self, page: Page) -> Answer:
        """Make one attempt; what an answer means is as for any webhook."""
        if not self._url.get_secret_value():
            why = f"There is no address. Set {self._url_setting or 'receivers.*.key'}."
            return Later(why, cause="repair")
        return deliver(self._url, as_json({"text": _text(page)}), {})


def _text(page: Page) -> str:
    """Return a line on what it is, lines on the figures behind it, and one on where to start."""
    resolved = page.action == "resolve"
    sign = ":white_check_mark: Resolved:" if resolved else SIGNS.get(page.severity, ":bell:")
    if page.action == "change":
        sign = ":information_source:"
    lines = [
        f"{sign} *{_escaped(title(page, TEXT_MAX))}*",
        *map(_escaped, figures(page)),
        "  ".join((f"_{page.reason}_", *_places(page.body))),
    ]
    return "\n".join(line[:TEXT_MAX] for line in lines)


def _places(body: Mapping[str, object]) -> Iterator[str]:
    """Yield what to open."""
    if is_link(body.get("link")):
        yield f"<{body['link']}|agentmeter>"
    links = cast("Sequence[Mapping[str, str]]", body.get("links") or ())
    hrefs = (link for link in links if is_link(link["href"]))
    yield from (f"<{link['href']}|{_escaped(link['text'])}>" for link in hrefs)
    if not any(link["text"] == "Runbook" for link in links):
        yield _escaped(str(body.get("runbook") or ""))


def _escaped(text: str) -> str:
    """Keep Slack from reading mentions and links into the text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
