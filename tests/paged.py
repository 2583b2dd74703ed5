"""A page, and each kind of notifier as settings make it, over real HTTP."""

from dataclasses import replace
from datetime import UTC, datetime

from pydantic import SecretStr

from shared.alerting.grouping import Receiver
from shared.alerting.page import Delivery, Page
from shared.notify import NOTIFIERS
from shared.notify.ladder import Ladder
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
    return Ladder(NOTIFIERS[kind].make(receiver, key, settings))


def sent(kind: str, reply: Reply, page: Page = PAGE) -> tuple[Delivery, list[Request]]:
    """Return what became of the page, and the calls that were made."""
    with loopback(lambda _: reply) as server:
        return made(kind, server.url).send(page), server.received
