"""The Costs view as a person uses it: narrow down, sort, turn pages, compare, take the file."""

import csv
import io
import re
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.browser import PHONE, WAIT_MS, Viewer, viewer
from tests.journeys.laptop import Laptop, laptop

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("page")]

CULPRIT = 'Zürich, "東京" \\\\'
THOUSAND = {"input_tokens": 1_000, "output_tokens": 0}
"""Of gpt-4: 0.03 US dollars."""


def call(number: int, hours_ago: float, **data: Any) -> dict[str, Any]:
    at = START - timedelta(hours=hours_ago)
    sent = event("llm.call", number, **({"usage": THOUSAND} | data))
    return {**sent, "time": at.isoformat()}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Generator[Laptop]:
    """Yesterday an agent of one team called a hundred times as much as the day before."""
    usual = [call(n, 40, team_id="red", agent_id=f"a{n}", mission_id="m") for n in range(55)]
    rise = call(
        100,
        20,
        team_id=CULPRIT,
        agent_id="runaway",
        usage={"input_tokens": 1_000_000, "output_tokens": 0},
    )
    before = call(101, 45, team_id=CULPRIT, agent_id="calm")
    today = call(200, 1, team_id="red", count=55)
    unpriced = call(300, 1, team_id="red", model="house-blend")
    with laptop(tmp_path_factory.mktemp("costs"), FakeClock(START)) as running:
        running.post([*usual, rise, before, today, unpriced])
        yield running


@pytest.fixture
def seen(browser: Browser, box: Laptop) -> Generator[Viewer]:
    expect.set_options(timeout=WAIT_MS)
    with viewer(browser, box.stack.page_url, box.clock.now()) as tab:
        yield tab
        assert tab.said == []


def rows(seen: Viewer, title: str) -> list[list[str]]:
    """Return the texts of the table of that panel."""
    table = seen.page.get_by_role("region", name=title, exact=True).locator("tbody tr")
    return [row.locator("td").all_inner_texts() for row in table.all()]


def test_what_it_shows_is_what_the_api_says(seen: Viewer, box: Laptop) -> None:
    bill = box.get("/api/costs?by=team&compare=previous").json()
    seen.open("costs?by=team")
    shown = seen.page.get_by_role("region", name="Spent, by team").locator("tbody tr")
    for row, expected in zip(shown.all(), bill["rows"], strict=True):
        assert row.locator("td").first.inner_text() == expected["team"]
        amounts = [float(one.get_attribute("value") or 0) for one in row.locator("data").all()]
        assert amounts[:2] == [expected["cost_usd"], expected["previous_usd"]]
    assert seen.figure("Model calls") == str(bill["calls"])


def test_yesterdays_rise_is_found_in_three_clicks(seen: Viewer) -> None:
    seen.open("costs?by=team")
    seen.page.get_by_label("Period").select_option("yesterday")
    movers = seen.page.get_by_role("region", name="What changed most", exact=True)
    movers.get_by_role("link", name=CULPRIT).click()
    seen.wait()
    expect(seen.page.get_by_role("list", name="Filters")).to_contain_text(f"team is {CULPRIT}")
    seen.page.get_by_label("By", exact=True).select_option("agent")
    link = seen.page.get_by_role("region", name="Spent, by agent").get_by_role(
        "link", name="runaway", exact=True
    )
    link.click()
    expect(seen.page.get_by_role("list", name="Filters")).to_contain_text("agent is runaway")


def test_a_count_of_calls_leads_to_them(seen: Viewer) -> None:
    seen.open("costs?by=team&period=48h")
    seen.page.get_by_role("link", name=f"2 calls of {CULPRIT}").click()
    seen.wait()
    listed = rows(seen, "Calls")
    assert [(row[2], row[9]) for row in listed] == [("runaway", "$30.00"), ("calm", "$0.0300")]
    seen.page.get_by_role("region", name="Calls", exact=True).get_by_role("link").first.click()
    expect(seen.page.get_by_role("region", name="Row", exact=True)).to_contain_text("runaway")


def test_rows_are_sorted_and_pages_turned_by_the_address(seen: Viewer) -> None:
    seen.open("costs?by=agent&period=48h")
    first = rows(seen, "Spent, by agent")
    assert (len(first), first[0][0]) == (51, "runaway")
    assert first[-1][0].startswith("the other ")
    seen.page.get_by_role("link", name="next", exact=True).click()
    expect(seen.page.get_by_text(re.compile("51.58 of 58"))).to_be_visible()
    seen.page.get_by_role("link", name="agent", exact=True).first.click()
    table = seen.page.get_by_role("region", name="Spent, by agent")
    expect(table.get_by_role("columnheader", name="agent")).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert "sort=name" in seen.page.url
    names = [row[0] for row in rows(seen, "Spent, by agent")[:-1]]
    assert names == sorted(names)


def test_filters_are_chips_that_can_be_taken_away(seen: Viewer) -> None:
    seen.open("costs?by=team&period=48h")
    seen.page.get_by_role("link", name="Without red", exact=True).click()
    chips = seen.page.get_by_role("list", name="Filters")
    expect(chips).to_contain_text("team is not red")
    expect(seen.page.get_by_role("region", name="Spent, by team")).not_to_contain_text("red")
    chips.get_by_role("link").click()
    expect(chips).to_have_count(0)
    expect(seen.page.get_by_role("region", name="Spent, by team")).to_contain_text("red")


def test_the_file_has_the_rows_of_the_view(seen: Viewer) -> None:
    seen.open("costs?by=team&period=48h&not_team=red")
    with seen.page.expect_download() as started:
        seen.page.get_by_role("link", name="Export CSV").click()
    text = started.value.path().read_text(encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["team"], row["cost_usd"]) == (CULPRIT, "30.03")


def test_what_was_known_stays_with_its_age_when_the_log_is_gone(seen: Viewer) -> None:
    seen.open("costs?by=team")
    refusal = {"error": "Log Analytics did not answer. Ask again in a minute."}
    seen.page.route("**/api/costs?**", lambda route: route.fulfill(status=503, json=refusal))
    seen.page.clock.fast_forward("01:05")
    spent = seen.page.get_by_role("region", name="Spent, by team")
    expect(spent).to_contain_text("Not up to date. Log Analytics did not answer.", timeout=WAIT_MS)
    expect(spent).to_contain_text("red")
    expect(seen.page.locator("#state")).to_contain_text("2 of 3 parts not up to date")
    seen.page.unroute("**/api/costs?**")
    seen.said.clear()


def test_an_address_without_a_view_says_so(seen: Viewer) -> None:
    seen.open("cost/%E0%A4%A")
    expect(seen.page.locator("main")).to_contain_text("There is no view")
    seen.page.evaluate("location.hash = '#/costs?period=soon'")
    expect(seen.page.locator("main")).to_contain_text("period='soon' is unknown")
    seen.said.clear()


def test_narrowed_views_are_accessible_on_a_phone(browser: Browser, box: Laptop) -> None:
    with viewer(browser, box.stack.page_url, box.clock.now(), PHONE, "dark") as tab:
        for view in ("costs?by=agent,model&period=48h", "costs?team=red&list=calls", "nowhere"):
            tab.open(view)
            assert (view, tab.complaints()) == (view, [])
