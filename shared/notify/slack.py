"""Tells a channel of Slack, or of whatever takes Slack's incoming webhooks."""

import json

from pydantic import SecretStr

from shared.alerting.page import Delivery, Later, Page
from shared.notify.webhook import deliver

TEXT_MAX = 3000
SIGNS = {"critical": ":red_circle:", "error": ":large_orange_circle:", "warning": ":warning:"}


class Slack:
    """An incoming webhook; fits ports.Notifier. Its URL is its secret."""

    def __init__(self, url: SecretStr, url_setting: str) -> None:
        """url_setting: what to set where the URL is empty."""
        self._url = url
        self._url_setting = url_setting

    def send(self, page: Page) -> Delivery:
        """Make one attempt; what an answer means is as for any webhook."""
        if not self._url.get_secret_value():
            return Later(f"There is no address. Set {self._url_setting or 'receivers.*.key'}.")
        body = json.dumps({"text": _text(page)}).encode()
        return deliver(self._url, body, {}, page)


def _text(page: Page) -> str:
    """Return a line on what it is, and one on where to look."""
    resolved = page.action == "resolve"
    sign = ":white_check_mark: Resolved:" if resolved else SIGNS.get(page.severity, ":bell:")
    link, runbook = page.body.get("link"), page.body.get("runbook")
    where = [f"<{link}|agentmeter>" if link else "", _escaped(str(runbook or ""))]
    lines = [
        f"{sign} *{_escaped(page.summary[:TEXT_MAX])}*",
        "  ".join(part for part in (f"_{page.reason}_", *where) if part),
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Keep Slack from reading mentions and links into the text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
