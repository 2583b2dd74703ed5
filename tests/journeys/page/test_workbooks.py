"""The workbooks in the page: whole, with their parameters, and honest about what is not known."""

import json
from collections.abc import Generator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from local.page import workbooks
from tests.journeys.browser import WAIT_MS, Viewer
from tests.journeys.laptop import Laptop

pytestmark = pytest.mark.xdist_group("page")

COSTS = "workbooks/cost-tracking"
NONE = "\N{EN DASH}"
SPENT = "section[aria-label='Spend by Team and Model']"


WRITTEN = {
    "{TimeRange:start}": "datetime(2026-11-23T08:00:00.000Z)",
    "{TimeRange:end}": "datetime(2026-11-23T12:00:00.000Z)",
    "bin(TimeGenerated, {TimeRange:grain})": "bin(TimeGenerated, 5m)",
    "{TimeRange:label}": "Last 4 hours",
    "dynamic([{Team}])": "dynamic(['a','b'])",
    "{Team:label}": "a, b",
    "{Other} {2}": "{Other} {2}",
}

UNKNOWN: dict[str, dict[str, Any]] = {
    "the visualization map": {"visualization": "map"},
    "queries of type 1": {"queryType": 1},
    "the content's sparkSettings": {"sparkSettings": {}},
    "the formatter 21": {"gridSettings": {"formatters": [{"columnMatch": "A", "formatter": 21}]}},
}


def items(found: Sequence[dict[str, Any]]) -> Generator[dict[str, Any]]:
    """Yield the items that nothing hides at first, and those within."""
    for item in found:
        if "conditionalVisibilities" not in item:
            yield item
            yield from items(item["content"].get("items", []))


def teams(seen: Viewer) -> set[str]:
    return set(seen.page.locator(f"{SPENT} tbody td:first-child").all_inner_texts())


def series(seen: Viewer, title: str) -> list[str]:
    """Return the names of a chart's series."""
    return seen.page.locator(f"section[aria-label='{title}'] am-chart").evaluate(
        "chart => chart.spec.series.map(one => one.name)"
    )


def hours(seen: Viewer) -> float:
    """Return the length of time that a chart shows."""
    chart = seen.page.locator("section[aria-label='Tokens Used by Model'] am-chart")
    return chart.evaluate("chart => (chart.spec.to - chart.spec.from) / 3600")


@pytest.mark.parametrize("name", workbooks.names())
def test_every_generated_workbook_is_whole_and_accessible(seen: Viewer, name: str) -> None:
    path = workbooks.path(name)
    assert path
    queries = [
        item["name"] for item in items(json.loads(path.read_text())["items"]) if item["type"] == 3
    ]
    seen.open(f"workbooks/{name}")
    drawn = seen.page.locator("[data-item].type3").evaluate_all(
        "all => all.map(one => one.dataset.item)"
    )
    assert drawn == queries
    assert seen.page.locator(".lacking").count() == 0
    assert seen.page.locator("main .trouble").all_inner_texts() == []
    assert seen.complaints() == []


def test_parameters_and_chosen_rows_change_what_is_shown(seen: Viewer, box: Laptop) -> None:
    seen.open(COSTS)
    assert teams(seen) == {"red", "blue", NONE}
    assert any("house-blend" in name for name in series(seen, "Tokens Used by Model"))
    assert hours(seen) == 24

    calls = seen.page.locator("section[aria-label='Calls']")
    expect(calls).to_have_count(0)
    seen.page.locator(f"{SPENT} tbody tr", has_text="gpt-4o-mini").get_by_role("button").click()
    expect(calls.locator("tbody tr")).to_have_count(
        box.query('UsageEvents | where TeamId == "blue" and Model == "gpt-4o-mini" | count')[0][0],
        timeout=WAIT_MS,
    )
    expect(seen.page.locator("tr.picked")).to_have_count(1)

    seen.page.locator("[data-parameter=Team] summary").click()
    seen.page.get_by_role("checkbox", name="red", exact=True).check()
    expect(seen.page.locator(f"{SPENT} tbody tr")).to_have_count(1, timeout=WAIT_MS)
    assert teams(seen) == {"red"}
    assert not any("house-blend" in name for name in series(seen, "Tokens Used by Model"))
    expect(seen.page.locator("[data-parameter=Team] summary")).to_have_text("Team: red")

    seen.page.get_by_label("Time", exact=True).select_option(label="Last 4 hours")
    seen.wait()
    assert hours(seen) == 4


def test_a_rule_leads_to_its_alerts_and_these_to_their_steps(seen: Viewer) -> None:
    def rows(title: str) -> Locator:
        return seen.page.locator(f"section[aria-label='{title}'] tbody tr")

    seen.open("workbooks/alerts?Explain=no")
    rows("Rules").filter(has_text="HighErrorRate").get_by_role("button").click()
    rows("Alerts of the Rule").last.get_by_role("button").click()
    first = rows("The Steps").filter(has_text="transition").first
    expect(first).to_contain_text("firing", timeout=WAIT_MS)
    expect(first).to_contain_text("for 60 s rate > 10 / s")
    expect(first).to_contain_text("UsageEvents")
    expect(rows("The Steps").filter(has_text="decision").first).to_contain_text("trigger")
    expect(rows("The Steps").filter(has_text="page").first).to_contain_text("accepted")


def test_what_is_not_known_here_is_named_in_its_place(seen: Viewer) -> None:
    query = {"version": "KqlItem/1.0", "query": "UsageEvents | count", "queryType": 0}
    items = [
        {"type": 3, "content": {**query, **change}, "name": named}
        for named, change in UNKNOWN.items()
    ]
    seen.page.route(f"**/{COSTS}", lambda route: route.fulfill(json={"items": items}))
    seen.open(COSTS)
    lacking = [f"This page lacks {named}." for named in UNKNOWN]
    expect(seen.page.locator(".lacking")).to_contain_text(lacking)


def test_parameters_are_put_in_as_workbooks_do_it(seen: Viewer) -> None:
    seen.open("health")
    written = seen.page.evaluate(
        """async (texts) => {
            const { substitute } = await import("/static/js/workbook/substitute.js");
            const [start, end] = ["08", "12"].map((hour) => new Date(`2026-11-23T${hour}:00Z`));
            const TimeRange = { range: { start, end, label: "Last 4 hours" } };
            const Team = { text: "'a','b'", label: "a, b" };
            return texts.map((text) => substitute(text, { TimeRange, Team }));
        }""",
        list(WRITTEN),
    )
    assert written == list(WRITTEN.values())
