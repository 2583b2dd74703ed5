"""How Grafana draws a panel: types, units, thresholds, and links from a row to its parts."""

from collections.abc import Sequence

from dashboards.panel import ONE_VALUE, Color, Column, Kind, Panel, Threshold, Unit

Json = dict[str, object]

TYPES: dict[Kind, str] = {
    "line": "timeseries",
    "area": "timeseries",
    "bar": "timeseries",
    "ranking": "bargauge",
    "pie": "piechart",
    "stat": "stat",
    "gauge": "gauge",
    "table": "table",
}
HEIGHTS: dict[Kind, int] = {
    "line": 8,
    "area": 8,
    "bar": 8,
    "ranking": 8,
    "pie": 8,
    "stat": 4,
    "gauge": 8,
    "table": 9,
}
UNITS: dict[Unit, str] = {
    "$": "currencyUSD",
    "$/h": "currencyUSD",
    "s": "s",
    "%": "percent",
    "ratio": "percentunit",
    "requests/s": "reqps",
    "operations/s": "ops",
    "errors/s": "suffix: errors/s",
    "tokens/s": "suffix: tokens/s",
    "events/s": "suffix: events/s",
}
COLORS: dict[Color, str] = {
    "redBright": "red",
    "lightBlue": "light-blue",
    "gray": "text",
}
LINK = "/d/${__dashboard.uid}?${__url_time_range}"


def visual(panel: Panel, reduced: Json, choices: Sequence[str]) -> Json:
    """Return the panel without its queries, id and place.

    reduced: how a kind that shows single values gets them from the answer. choices: the names of
    the variables that a link from a row keeps.
    """
    return {
        "type": TYPES[panel.kind],
        "title": panel.title,
        "description": panel.says.strip(),
        "fieldConfig": {
            "defaults": _defaults(panel, choices),
            "overrides": [_override(column) for column in panel.columns],
        },
        "options": _options(panel, reduced),
    }


def of_rows(panel: Panel) -> Json:
    """Return how values are got from a table: a row is a value, what is named with it its name."""
    fields = "/^(Value|Note)$/" if panel.kind == "stat" else "/^Value$/"
    if panel.y:
        fields = f"/^({'|'.join(panel.y)})$/"
    return {"calcs": ["lastNotNull"], "fields": fields, "values": True}


def of_series(_: Panel) -> Json:
    """Return how values are got from series over time: the last of each."""
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def _defaults(panel: Panel, choices: Sequence[str]) -> Json:
    return {
        "unit": UNITS.get(panel.unit, "short"),
        "noValue": panel.empty,
        **({"thresholds": _steps(panel.thresholds)} if panel.thresholds else {}),
        **({"min": 0, "max": 1} if panel.kind == "gauge" and panel.unit == "ratio" else {}),
        "links": _links(panel, choices),
        "custom": _drawn(panel),
    }


def _steps(thresholds: Sequence[Threshold]) -> Json:
    """Return the thresholds from the lowest up; the first is for all that is below the second."""
    steps = [{"color": COLORS.get(t.color, t.color), "value": t.at} for t in thresholds]
    return {"mode": "absolute", "steps": steps}


def _links(panel: Panel, choices: Sequence[str]) -> list[Json]:
    """Return what a click on a row leads to."""
    kept = LINK + "".join(f"&${{{name}:queryparam}}" for name in choices)
    return [
        {
            "title": "What it is made of",
            "url": f"{kept}&var-{name}=${{__data.fields.{column}:percentencode}}",
        }
        for name, column in panel.exports.items()
    ]


def _drawn(panel: Panel) -> Json:
    """Return how a chart over time is drawn: lines, areas on top of each other, or bars."""
    if TYPES[panel.kind] != "timeseries":
        return {}
    return {
        "drawStyle": "bars" if panel.kind == "bar" else "line",
        "fillOpacity": 0 if panel.kind == "line" else 40,
        "stacking": {"mode": "none" if panel.kind == "line" else "normal"},
        "thresholdsStyle": {"mode": "dashed" if panel.thresholds else "off"},
    }


def _options(panel: Panel, reduced: Json) -> Json:
    legend: Json = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    if panel.kind in ONE_VALUE:
        return {"reduceOptions": reduced, "colorMode": "value", "textMode": "value"}
    if panel.kind == "pie":
        return {"reduceOptions": reduced, "legend": legend | {"values": ["value", "percent"]}}
    if panel.kind == "ranking":
        return {"reduceOptions": reduced, "orientation": "horizontal", "displayMode": "basic"}
    return {} if panel.kind == "table" else {"legend": legend, "tooltip": {"mode": "multi"}}


def _override(column: Column) -> Json:
    colored = bool(column.thresholds or column.words)
    wanted: Sequence[tuple[bool, str, object]] = (
        (bool(column.label), "displayName", column.label),
        (bool(column.unit), "unit", UNITS.get(column.unit, "short")),
        (column.hidden, "custom.hidden", True),
        (column.bar, "custom.cellOptions", {"type": "gauge", "mode": "basic"}),
        (bool(column.thresholds), "thresholds", _steps(column.thresholds)),
        (bool(column.words), "mappings", [{"type": "value", "options": _words(column)}]),
        (colored, "custom.cellOptions", {"type": "color-text"}),
    )
    properties = [{"id": name, "value": value} for is_wanted, name, value in wanted if is_wanted]
    return {"matcher": {"id": "byName", "options": column.name}, "properties": properties}


def _words(column: Column) -> Json:
    return {
        word: {"color": COLORS.get(color, color), "index": number}
        for number, (word, color) in enumerate(column.words.items())
    }
