"""Pages as contract tests of alert stores decide them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.alerting.page import Page
from shared.store_ports import AlertStore

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COSTS = "HighHourlyCosts/critical"
ERRORS = "HighErrorRate/warning"


def page(number: int, rule: str = COSTS, incident: str = "", due_s: float = 0) -> Page:
    """Return the page that was decided so many seconds after noon."""
    at = NOON + timedelta(seconds=number)
    return Page(
        id=f"{at:%Y%m%dT%H%M%SZ}-{number}",
        rule=rule,
        dedup_key=incident or f"dev/{rule}",
        route="critical",
        action="trigger",
        severity="critical",
        summary="LLM spend is $120.00 an hour — über $100",
        body={"payload": {"custom_details": {"value": 120.5, "series": ["a", None]}}},
        created_at=at,
        not_before=NOON + timedelta(seconds=due_s),
        reason="first",
    )


def store_pages(alerts: AlertStore, *pages: Page) -> None:
    for rule in {each.rule for each in pages}:
        alerts.save(alerts.load(rule), [each for each in pages if each.rule == rule])


def ids(pages: Sequence[Page]) -> list[str]:
    return [each.id for each in pages]
