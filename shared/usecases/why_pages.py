"""Gathers the pages of a rule: those that wait, and those that were taken, refused or dropped."""

from dataclasses import dataclass
from datetime import datetime

from shared.alerting.page import Page
from shared.ports import AlertStore

SETTLED_SEEN = 500
PAGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """A page and what became of it: waiting, accepted, dead or dropped.

    settled_at: when that was final; None while it waits.
    """

    page: Page
    delivery: str
    settled_at: datetime | None


def sent(alerts: AlertStore, rule: str) -> list[Sent]:
    """Return the latest pages of the rule, newest first."""
    waiting = [Sent(page, "waiting", None) for page in alerts.waiting() if page.rule == rule]
    settled = [
        Sent(page, type(outcome).__name__.lower(), at)
        for page, outcome, at in alerts.history(SETTLED_SEEN)
        if page.rule == rule
    ]
    pages = sorted([*waiting, *settled], key=lambda one: one.page.id, reverse=True)
    return pages[:PAGES_SHOWN]
