"""The panels: all of the plan's are there, and what is rendered from them is whole."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.kql import WORKBOOK, bind
from dashboards.panel import read_page, read_pages
from dashboards.workbook import workbook
from shared.errors import Misconfigured

PAGES = {page.name: page for page in read_pages()}
ALL_PANELS = [
    pytest.param(panel, id=f"{page.name}/{panel.name}")
    for page in PAGES.values()
    for panel in page.panels
]
PLANNED = {
    "system-health": {
        "API Request Rate": "requests/s",
        "API Latency (P50, P95, P99)": "s",
        "Error Rate": "errors/s",
        "Active Teams": "teams",
        "Active Agents": "agents",
        "Database Connection Pool": "connections",
    },
    "agent-performance": {
        "Agent Operations by Type": "operations/s",
        "Agent Success Rate": "ratio",
        "LLM API Latency by Provider": "s",
        "Task Queue Size": "tasks",
    },
    "cost-tracking": {
        "Total LLM Costs (Hourly)": "$/h",
        "Cost by Provider": "$",
        "Tokens Used by Model": "tokens/s",
        "Average Cost per Mission": "$",
        "Revenue vs Cost": "$/h",
    },
}
PLACEHOLDER = re.compile(r"\{([A-Za-z]\w*)(?::\w+)?\}")
PANEL = """
name = "{name}"
title = "A Panel"
says = "what it says"
"""


def items_of(content: Any) -> Iterator[dict[str, Any]]:
    """Yield each item of a workbook, those of its groups too."""
    for item in content["items"]:
        yield item
        if item["type"] == 12:
            yield from items_of(item["content"])


def workbook_of(name: str) -> list[dict[str, Any]]:
    return list(items_of(json.loads(workbook(PAGES[name]))))


@pytest.mark.parametrize("page", PLANNED)
def test_every_panel_of_the_plan_is_on_its_page_with_its_unit(page: str) -> None:
    found = {panel.title: panel.unit for panel in PAGES[page].panels}
    assert PLANNED[page].items() <= found.items()


def test_the_plans_thresholds_of_the_success_rate_are_kept() -> None:
    items = {item["name"]: item for item in workbook_of("agent-performance")}
    tile = items["agent_success_rate"]["content"]["tileSettings"]["leftContent"]
    grid = tile["formatOptions"]["thresholdsGrid"]
    assert [(one["operator"], one["thresholdValue"], one["representation"]) for one in grid] == [
        (">=", "0.85", "green"),
        (">=", "0.75", "yellow"),
        ("Default", None, "redBright"),
    ]


@pytest.mark.parametrize(
    ("panel", "at"),
    [("api_latency", "2"), ("error_rate", "10"), ("database_connection_pool", "2")],
)
def test_a_chart_has_a_line_where_its_alert_fires(panel: str, at: str) -> None:
    items = {item["name"]: item for item in workbook_of("system-health")}
    assert items[panel]["content"]["chartSettings"]["customThresholdLine"] == at


@pytest.mark.parametrize("name", PAGES)
def test_what_a_query_or_a_condition_refers_to_is_set_somewhere_in_the_workbook(name: str) -> None:
    items = workbook_of(name)
    known = {p["name"] for item in items for p in item["content"].get("parameters", ())}
    known |= {
        p["parameterName"] for item in items for p in item["content"].get("exportedParameters", ())
    }
    used = {n for item in items for n in PLACEHOLDER.findall(item["content"].get("query", ""))}
    for item in items:
        used |= {one["parameterName"] for one in item.get("conditionalVisibilities", ())}
    assert used <= known
    assert {"TimeRange", *PAGES[name].choices} <= used


@pytest.mark.parametrize("name", PAGES)
def test_a_query_that_shows_the_choice_of_a_row_is_hidden_until_there_is_one(name: str) -> None:
    exported = {p for panel in PAGES[name].panels for p in panel.exports}
    for panel in PAGES[name].panels:
        assert exported & set(PLACEHOLDER.findall(panel.query)) <= set(panel.needs)


def test_names_are_unique_in_all_pages() -> None:
    names = [panel.name for page in PAGES.values() for panel in page.panels]
    assert len(names) == len(set(names))


def test_costs_count_corrections_whenever_they_came() -> None:
    items = {item["name"]: item["content"] for item in workbook_of("cost-tracking")}
    for name in ("spent", "spend_by_team_and_model", "unpriced_models"):
        assert items[name]["timeContext"] == {"durationMs": 0}
        assert "timeContextFromParameter" not in items[name]
        assert "cost.adjustment" in items[name]["query"]
    assert items["tokens_used_by_model"]["timeContextFromParameter"] == "TimeRange"


def test_lists_of_choices_are_declared_where_they_are_used() -> None:
    assert bind("T | where {environment}", WORKBOOK).startswith(
        "let Environments = dynamic([{Environment}]);\nT | where"
    )
    assert bind("T | where A == '{Chosen}'", WORKBOOK) == "T | where A == '{Chosen}'"


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        pytest.param('kind = "line"\nquery = "T"', "a chart names the columns", id="no columns"),
        pytest.param('kind = "pie"\ny = ["A"]\nquery = "T"', "categories", id="no category"),
        pytest.param('kind = "stat"\nquery = "T"\nunit = "miles"', "unit", id="no such unit"),
        pytest.param('kind = "stat"\nquery = "T"\ncolour = "red"', "colour", id="no such field"),
        pytest.param('kind = "stat"', "query", id="no query"),
    ],
)
def test_a_panel_that_cannot_be_drawn_is_refused_with_its_file(
    panel: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "a_page.toml"
    head = 'title = "A Page"\nabout = ""\nhours = 1\n[[section]]\ntitle = "S"\n[[section.panel]]'
    file.write_text(f"{head}{PANEL.format(name='a')}{panel}\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=rf"a_page\.toml(.|\n)*{said}"):
        read_page(file)
