"""The Traces view: from the dearest missions down to the steps of one, and on a telephone."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import PHONE, WAIT_MS, Viewer, viewer
from tests.journeys.laptop import Laptop
from tests.journeys.page.scene import TRACE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page")]


@pytest.fixture
def phone(browser: Browser, box: Laptop) -> Generator[Viewer]:
    expect.set_options(timeout=WAIT_MS)
    with viewer(browser, box.stack.page_url, box.clock.now(), PHONE, "dark") as tab:
        yield tab
        assert tab.said == []


def test_from_the_dearest_to_the_steps_of_one(seen: Viewer, box: Laptop) -> None:
    answer = box.get(f"/api/traces/{TRACE}").json()
    seen.open("traces?period=1h")
    assert seen.complaints() == []
    seen.page.get_by_role("link", name=TRACE).click()
    seen.wait()
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(f"Trace {TRACE}")
    assert seen.figure("Model calls") == str(answer["calls"])
    rows = seen.page.get_by_role("region", name="Steps", exact=True).locator("tbody tr")
    expect(rows).to_have_count(answer["events"])
    assert seen.complaints() == []
    rows.first.get_by_role("link").click()
    seen.wait()
    expect(seen.page.get_by_role("link", name=TRACE).first).to_have_attribute(
        "href", f"#/traces/{TRACE}"
    )


def test_a_list_is_chosen_by_kind_and_order(seen: Viewer) -> None:
    seen.open("traces?period=1h")
    seen.page.get_by_label("Sorted by").select_option("tokens")
    expect(seen.page.get_by_label("Sorted by")).to_have_value("tokens")
    seen.wait()
    seen.page.get_by_label("What").select_option("missions")
    expect(seen.page.get_by_role("heading", level=1)).to_have_text("Missions")
    assert seen.page.url.endswith("#/missions?period=1h&sort=tokens")
    seen.open("missions/nothing")
    expect(seen.page.locator(".trouble")).to_contain_text("No event names the mission 'nothing'")
    seen.said.clear()  # Chromium tells of each 404


def test_every_view_is_reached_on_a_telephone(phone: Viewer) -> None:
    phone.open("incidents")
    links = phone.page.get_by_role("navigation", name="Main").get_by_role("link")
    for link in links.all():
        box = link.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
    card = phone.page.get_by_role("region", name="Open").get_by_role("row").first
    shown = card.bounding_box()
    assert shown
    assert shown["width"] <= PHONE[0]
    assert shown["height"] > 60
    assert phone.complaints() == []


def test_filters_are_folded_on_a_telephone(phone: Viewer, seen: Viewer) -> None:
    phone.open("search")
    expect(phone.page.get_by_label("Text")).to_be_visible()
    expect(phone.page.get_by_label("Team")).to_be_hidden()
    phone.page.get_by_text("Filters").click()
    phone.page.get_by_label("Team").fill("red")
    phone.page.get_by_role("button", name="Search").click()
    phone.wait()
    assert "team=red" in phone.page.url
    assert phone.complaints() == []
    seen.open("search")
    expect(seen.page.get_by_label("Team")).to_be_visible()
