"""Why it fired, at a glance: the value against its limit, who contributes, what failed."""

import pytest
from playwright.sync_api import expect

from tests.journeys.browser import WAIT_MS, Viewer
from tests.journeys.laptop import Laptop

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page")]


def test_the_value_stands_against_its_limit(seen: Viewer, box: Laptop) -> None:
    answer = box.get("/api/alerts/HighErrorRate.critical/context").json()
    chart = answer["chart"]["value"]
    assert max(one["value"] or 0 for one in chart["points"]) > chart["limit"]
    seen.open("why/HighErrorRate.critical")
    panel = seen.page.get_by_role("region", name="Value against its limit", exact=True)
    expect(panel.locator(".legend .limit")).to_contain_text(
        f"limit{chart['limit']:.0f} {chart['unit']['after']}", timeout=WAIT_MS
    )
    expect(panel.locator(".legend .mark").first).to_contain_text("fired")
    expect(seen.page.locator(".sentence")).to_contain_text("; limit ")


def test_events_behind_it_are_a_click_away(seen: Viewer) -> None:
    seen.open("why/HighErrorRate.critical")
    events = seen.page.get_by_role("region", name="Some of the events", exact=True)
    events.get_by_role("link").first.click()
    expect(seen.page.get_by_role("region", name="Row", exact=True)).to_contain_text(
        "error", timeout=WAIT_MS
    )
