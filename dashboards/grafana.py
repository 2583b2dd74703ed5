"""Renders a page for Grafana: once for Azure Monitor's logs, once for Prometheus."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboards.choice import CHOICES
from dashboards.grafana_visuals import HEIGHTS, Json, of_rows, of_series, visual
from dashboards.kql import GRAFANA, bind
from dashboards.panel import ONE_VALUE, Page, Panel

COLUMNS = 24
SCHEMA = 39
REFRESH_ON_LOAD, REFRESH_ON_TIME = 1, 2
HIDDEN = 2
ALL: Json = {"text": ["All"], "value": ["$__all"]}
AZURE: Json = {"type": "grafana-azure-monitor-datasource", "uid": "${azure}"}
PROMETHEUS: Json = {"type": "prometheus", "uid": "${prometheus}"}
WORKSPACE = "$workspace"
LETTERS = "ABCDEFGHIJ"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a dashboard's figures come from. suffix: of its uid and file."""

    suffix: str
    name: str
    panels: Sequence[Json]
    variables: Sequence[Json]


def azure_dashboard(page: Page) -> str:
    """Return the dashboard whose panels ask Log Analytics, as JSON text."""
    panels = [visual(p, of_rows(p), page.choices) | _asks(AZURE, [_logs(p)]) for p in page.panels]
    return _dashboard(page, _Source("azure", "Azure Monitor", panels, list(_azure_variables(page))))


def prometheus_dashboard(page: Page) -> str:
    """Return the dashboard of those panels that GET /metrics has figures for, as JSON text."""
    panels = [
        visual(p, of_series(p), ()) | _asks(PROMETHEUS, list(_metrics(p)))
        for p in page.panels
        if p.prometheus
    ]
    variables = [_source_variable("prometheus", "prometheus")]
    return _dashboard(page, _Source("prometheus", "Prometheus", panels, variables))


def _dashboard(page: Page, source: _Source) -> str:
    content: Json = {
        "uid": f"agentmeter-{page.name}-{source.suffix}",
        "title": f"agentmeter: {page.title} ({source.name})",
        "description": page.about.strip(),
        "tags": ["agentmeter", source.suffix],
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "schemaVersion": SCHEMA,
        "time": {"from": f"now-{page.hours}h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": source.variables},
        "annotations": {"list": []},
        "panels": list(_placed(page, source.panels)),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _placed(page: Page, drawn: Sequence[Json]) -> Iterator[Json]:
    """Give each panel an id and a place: rows from left to right, a heading before each section."""
    by_title = {panel["title"]: panel for panel in drawn}
    y = number = 0
    for section in page.section:
        panels = [panel for panel in section.panel if panel.title in by_title]
        if panels:
            number += 1
            yield _heading(number, section.title, y)
            y += 1
        for row in _rows(panels):
            x = 0
            for panel in row:
                number += 1
                place = {"x": x, "y": y, "w": _columns(panel), "h": HEIGHTS[panel.kind]}
                yield {"id": number, "gridPos": place} | by_title[panel.title]
                x += _columns(panel)
            y += max(HEIGHTS[panel.kind] for panel in row)


def _rows(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Yield as many panels at once as stand beside each other."""
    row: list[Panel] = []
    for panel in panels:
        if sum(map(_columns, row)) + _columns(panel) > COLUMNS:
            yield row
            row = []
        row.append(panel)
    if row:
        yield row


def _columns(panel: Panel) -> int:
    return panel.width * COLUMNS // 100


def _heading(number: int, title: str, y: int) -> Json:
    place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
    return {
        "id": number,
        "gridPos": place,
        "type": "row",
        "title": title,
        "collapsed": False,
        "panels": [],
    }


def _asks(source: Json, targets: Sequence[Json]) -> Json:
    return {"datasource": source, "targets": [{"datasource": source} | one for one in targets]}


def _logs(panel: Panel) -> Json:
    query: Json = {
        "query": bind(panel.query, GRAFANA),
        "resources": [WORKSPACE],
        "resultFormat": "time_series" if "TimeGenerated" in panel.shows[:1] else "table",
        "dashboardTime": False,
    }
    return {"refId": "A", "queryType": "Azure Log Analytics", "azureLogAnalytics": query}


def _metrics(panel: Panel) -> Iterator[Json]:
    at_once = panel.kind in (*ONE_VALUE, "pie", "ranking")
    for letter, asked in zip(LETTERS, panel.prometheus, strict=False):
        yield {
            "refId": letter,
            "expr": asked.expr,
            "legendFormat": asked.legend or panel.title,
            "instant": at_once,
            "range": not at_once,
        }


def _source_variable(name: str, plugin: str) -> Json:
    return {
        "name": name,
        "label": "Data source",
        "type": "datasource",
        "query": plugin,
        "refresh": REFRESH_ON_LOAD,
    }


def _azure_variables(page: Page) -> Iterator[Json]:
    """Yield what the reader chooses, and what a click on a row sets."""
    yield _source_variable("azure", "grafana-azure-monitor-datasource")
    yield _query_variable("subscription", {"queryType": "Azure Subscriptions"})
    asked: Json = {"queryType": "Azure Workspaces", "subscription": "$subscription"}
    yield _query_variable("workspace", asked)
    yield from map(_choice, page.choices)
    for name in dict.fromkeys(name for panel in page.panels for name in panel.exports):
        nothing = {"text": "", "value": ""}
        yield {
            "name": name,
            "type": "textbox",
            "query": "",
            "current": nothing,
            "hide": HIDDEN,
        }


def _query_variable(name: str, query: Json) -> Json:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": AZURE,
        "query": query | {"refId": "A"},
        "refresh": REFRESH_ON_LOAD,
    }


def _choice(name: str) -> Json:
    """Return a list of many choices; all of them are handed to queries as '*'."""
    asked = {
        "query": bind(CHOICES[name].options("text"), GRAFANA),
        "resources": [WORKSPACE],
        "resultFormat": "table",
    }
    query: Json = {"queryType": "Azure Log Analytics", "azureLogAnalytics": asked}
    return _query_variable(name, query) | {
        "multi": True,
        "includeAll": True,
        "allValue": "'*'",
        "current": ALL,
        "refresh": REFRESH_ON_TIME,
    }
