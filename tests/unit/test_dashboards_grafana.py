"""The dashboards of Grafana: whole, without overlaps, and with the plan's questions."""

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from dashboards.grafana import azure_dashboard, prometheus_dashboard
from dashboards.panel import read_pages
from shared.metrics.catalogue import METRICS
from tests.prometheus import installed

PAGES = read_pages()
BOARDS: list[dict[str, Any]] = [
    json.loads(render(page)) for page in PAGES for render in (azure_dashboard, prometheus_dashboard)
]
EACH_BOARD = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
FRAME = ("__timeFrom", "__timeTo", "__interval", "__range", "__dashboard", "__data", "__all")
SPAN = re.compile(r"\$__(range|interval)\b")
PART = re.compile("_(bucket|sum|count)$")
"""What a series of a histogram ends with."""
VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
PLANNED = {
    "API Request Rate": ["sum(rate(http_requests_total[5m])) by (method, path)"],
    "API Latency (P50, P95, P99)": [
        f"histogram_quantile({q}, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))"
        for q in ("0.50", "0.95", "0.99")
    ],
    "Error Rate": ["sum(rate(errors_total[5m])) by (component, error_type)"],
    "Active Teams": ["sum(active_teams_total)"],
    "Active Agents": ["sum(active_agents_total)"],
    "Database Connection Pool": ["sum(db_pool_connections) by (state)"],
    "Agent Operations by Type": [
        "sum(rate(agent_operations_total[5m])) by (agent_type, operation)"
    ],
    "Agent Success Rate": [
        'sum(rate(agent_operations_total{status="success"}[5m])) '
        "/ sum(rate(agent_operations_total[5m]))"
    ],
    "LLM API Latency by Provider": [
        "histogram_quantile(0.95, sum(rate(llm_api_duration_seconds_bucket[5m])) by (provider, le))"
    ],
    "Task Queue Size": ["sum(task_queue_size) by (priority)"],
    "Total LLM Costs (Hourly)": ["sum(rate(llm_cost_usd_total[1h])) * 3600"],
    "Cost by Provider": ["sum(increase(llm_cost_usd_total[24h])) by (provider)"],
    "Tokens Used by Model": ["sum(rate(llm_tokens_used_total[5m])) by (model, token_type)"],
    "Average Cost per Mission": [
        "sum(increase(llm_cost_usd_total[24h])) / sum(increase(missions_completed_total[24h]))"
    ],
    "Revenue vs Cost": [
        "sum(rate(revenue_usd_total[1h])) * 3600",
        "sum(rate(llm_cost_usd_total[1h])) * 3600",
    ],
}


def panels_of(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def asked_of_prometheus() -> dict[str, list[str]]:
    return {
        panel["title"]: [target["expr"] for target in panel["targets"]]
        for board in BOARDS
        if board["uid"].endswith("prometheus")
        for panel in panels_of(board)
    }


@EACH_BOARD
def test_ids_are_unique_and_no_panel_lies_on_another(board: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )


@EACH_BOARD
def test_every_variable_that_is_used_exists_and_every_one_but_sources_is_used(
    board: dict[str, Any],
) -> None:
    there = {variable["name"] for variable in board["templating"]["list"]}
    used = set(VARIABLE.findall(json.dumps(board)))
    assert used - {*FRAME, "__url_time_range"} == there


@EACH_BOARD
def test_a_panel_says_what_it_shows_in_what_unit_and_asks_something(board: dict[str, Any]) -> None:
    for panel in panels_of(board):
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert panel["datasource"]["uid"][2:-1] in {"azure", "prometheus"}


def test_uids_are_unique_and_short_enough() -> None:
    uids = [board["uid"] for board in BOARDS]
    assert len(uids) == len(set(uids))
    assert all(len(uid) <= 40 for uid in uids)


def test_every_panel_of_the_plan_asks_prometheus_what_the_plan_asks() -> None:
    asked = asked_of_prometheus()
    assert {title: asked[title] for title in PLANNED} == PLANNED


def test_prometheus_is_asked_for_metrics_that_there_are_by_labels_that_they_have() -> None:
    for expr in (expr for exprs in asked_of_prometheus().values() for expr in exprs):
        named = {name for name in METRICS if re.search(rf"\b{name}(_bucket|_sum|_count)?\b", expr)}
        words = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", re.sub(r'"[^"]*"', "", expr)))
        metrics = {PART.sub("", word) for word in words} & METRICS.keys()
        assert metrics == named != set()
        labels = {label for name in named for label in METRICS[name].labels} | {"le"}
        grouped = {g for found in re.findall(r"by \(([^)]*)\)", expr) for g in found.split(", ")}
        matched = set(re.findall(r"[{,](\w+)=", expr))
        assert grouped | matched <= labels
        assert {PART.sub("", word) for word in words - {"histogram_quantile"} - labels} <= named


def test_prometheus_parses_everything_that_it_is_asked(tmp_path: Path) -> None:
    rules = [
        {"record": "asked", "labels": {"n": str(n)}, "expr": SPAN.sub("6h", expr)}
        for n, expr in enumerate(e for exprs in asked_of_prometheus().values() for e in exprs)
    ]
    file = tmp_path / "rules.json"  # JSON is YAML, too
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - a fixed command, no shell
        [installed("promtool"), "check", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_the_plans_thresholds_of_the_success_rate_are_kept() -> None:
    (gauge,) = [
        panel
        for board in BOARDS
        if board["uid"] == "agentmeter-agent-performance-prometheus"
        for panel in panels_of(board)
        if panel["title"] == "Agent Success Rate"
    ]
    defaults = gauge["fieldConfig"]["defaults"]
    assert (gauge["type"], defaults["min"], defaults["max"]) == ("gauge", 0, 1)
    assert defaults["unit"] == "percentunit"
    assert [(step["value"], step["color"]) for step in defaults["thresholds"]["steps"]] == [
        (None, "red"),
        (0.75, "yellow"),
        (0.85, "green"),
    ]


def test_all_choices_together_are_handed_over_as_a_star_in_quotes() -> None:
    for board in BOARDS:
        for variable in board["templating"]["list"]:
            if variable.get("includeAll"):
                assert variable["allValue"] == "'*'"
                asked = variable["query"]["azureLogAnalytics"]["query"]
                assert "value = " in asked
                assert "text = " in asked
