"""Renders a page as an Azure Workbook: the JSON that goes into its serializedData.

Few features are used: texts (1), parameters (9: time range, drop-downs, one of them with many
choices), queries (3: timechart, areachart, barchart, categoricalbar, piechart, tiles, table, with
exported parameters), groups (12), and conditions that a parameter is set, or has a value.
"""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

from dashboards.choice import CHOICES
from dashboards.kql import WORKBOOK, bind, is_bound_by_time
from dashboards.panel import Page, Panel, Section
from dashboards.workbook_visuals import settings, visualization

Json = dict[str, object]

RESOURCE_TYPE = "microsoft.operationalinsights/workspaces"
TIME_RANGE = "TimeRange"
ALL = "value::all"
IDS = UUID("6a1f5c0e-58f4-4b63-9f0c-27c0d3e0b7aa")
HOUR_MS = 3_600_000
RANGES_H = (1, 4, 12, 24, 48, 72, 168, 336, 720)
HELP, SHOWN = "Explain", "yes"
LOGS = 0
TEXT, QUERY, PARAMETERS, GROUP = 1, 3, 9, 12
TALL, USUAL, LOW = 2, 0, 4


def workbook(page: Page) -> str:
    """Return the workbook as JSON text."""
    items = [
        _text("about", f"# {page.title}\n\n{page.about.strip()}"),
        _parameters(page),
        *(_section(number, section) for number, section in enumerate(page.section, 1)),
    ]
    content: Json = {
        "version": "Notebook/1.0",
        "items": items,
        "fallbackResourceIds": ["Azure Monitor"],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _parameters(page: Page) -> Json:
    """Return what the reader chooses: a time, the page's lists, and whether to show help."""
    chosen = [
        _time_range(page),
        *(_drop_down(page, name) for name in page.choices),
        _help(page),
    ]
    content = {
        "version": "KqlParameterItem/1.0",
        "style": "pills",
        "queryType": LOGS,
        "resourceType": RESOURCE_TYPE,
        "parameters": chosen,
    }
    return {"type": PARAMETERS, "content": content, "name": "parameters"}


def _parameter(page: Page, name: str, kind: int, more: Json) -> Json:
    return {
        "id": str(uuid5(IDS, f"{page.name}/{name}")),
        "version": "KqlParameterItem/1.0",
        "name": name,
        "type": kind,
        "isRequired": True,
        **more,
    }


def _time_range(page: Page) -> Json:
    ranges = [{"durationMs": hours * HOUR_MS} for hours in RANGES_H]
    return _parameter(
        page,
        TIME_RANGE,
        4,
        {
            "label": "Time",
            "value": {"durationMs": page.hours * HOUR_MS},
            "typeSettings": {"selectableValues": ranges, "allowCustom": True},
        },
    )


def _drop_down(page: Page, name: str) -> Json:
    """Return a list to choose from; "All" is handed to queries as '*'."""
    return _parameter(
        page,
        name,
        2,
        {
            "multiSelect": True,
            "quote": "'",
            "delimiter": ",",
            "query": bind(CHOICES[name].options("label"), WORKBOOK),
            "value": [ALL],
            "typeSettings": {
                "additionalResourceOptions": [ALL],
                "selectAllValue": "*",
                "showDefault": False,
            },
            "timeContextFromParameter": TIME_RANGE,
            "queryType": LOGS,
            "resourceType": RESOURCE_TYPE,
        },
    )


def _help(page: Page) -> Json:
    options = [{"value": SHOWN, "label": "Yes"}, {"value": "no", "label": "No"}]
    return _parameter(
        page,
        HELP,
        2,
        {
            "label": "Explanations",
            "jsonData": json.dumps(options),
            "value": SHOWN,
            "typeSettings": {"additionalResourceOptions": [], "showDefault": False},
        },
    )


def _section(number: int, section: Section) -> Json:
    """Return a heading, its panels, and below them what they say."""
    said = "\n\n".join(f"**{panel.title}.** {panel.says.strip()}" for panel in section.panel)
    explained = _text(f"explained {number}", said, {HELP: SHOWN})
    items = [
        _text(f"heading {number}", f"## {section.title}"),
        *(_query(panel) for panel in section.panel),
        explained | {"styleSettings": {"padding": "0 0 16px 0"}},
    ]
    content: Json = {
        "version": "NotebookGroup/1.0",
        "groupType": "editable",
        "exportParameters": True,
        "items": items,
    }
    return {"type": GROUP, "content": content, "name": f"section {number}"}


def _query(panel: Panel) -> Json:
    content: Json = {
        "version": "KqlItem/1.0",
        "query": bind(panel.query, WORKBOOK),
        "size": _size(panel),
        "title": panel.title,
        "noDataMessage": panel.empty,
        "noDataMessageStyle": 4,
        **_time(panel),
        **_exports(panel.exports),
        "queryType": LOGS,
        "resourceType": RESOURCE_TYPE,
        "visualization": visualization(panel),
        **settings(panel),
    }
    return {
        "type": QUERY,
        "content": content,
        "customWidth": str(panel.width),
        **_only_with(panel.needs),
        "name": panel.name,
    }


def _size(panel: Panel) -> int:
    if panel.kind in ("stat", "gauge"):
        return LOW
    return TALL if panel.kind == "table" and panel.width == 100 else USUAL


def _time(panel: Panel) -> Json:
    """Bind the time chosen to the query as a whole, unless corrections that come later count."""
    if is_bound_by_time(panel.query):
        return {"timeContextFromParameter": TIME_RANGE}
    return {"timeContext": {"durationMs": 0}}


def _exports(exports: Mapping[str, str]) -> Json:
    if not exports:
        return {}
    exported = [
        {"fieldName": column, "parameterName": name, "parameterType": 1, "defaultValue": ""}
        for name, column in exports.items()
    ]
    return {"exportedParameters": exported}


def _only_with(parameters: Sequence[str]) -> Json:
    """Show an item only where all of the parameters are set."""
    conditions = [{"parameterName": name, "comparison": "isNotEqualTo"} for name in parameters]
    return {"conditionalVisibilities": conditions} if conditions else {}


def _text(name: str, markdown: str, where: Mapping[str, str] = {}) -> Json:
    conditions = [
        {"parameterName": parameter, "comparison": "isEqualTo", "value": value}
        for parameter, value in where.items()
    ]
    shown: Json = {"conditionalVisibilities": conditions} if conditions else {}
    return {"type": TEXT, "content": {"json": markdown}, **shown, "name": name}
