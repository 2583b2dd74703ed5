"""How a workbook draws a panel: charts, tiles and tables, their units and thresholds."""

from collections.abc import Sequence
from itertools import pairwise

from dashboards.panel import Column, Kind, Panel, Threshold, Unit

Json = dict[str, object]

VISUALIZATIONS: dict[Kind, str] = {
    "line": "timechart",
    "area": "areachart",
    "bar": "barchart",
    "ranking": "categoricalbar",
    "pie": "piechart",
    "stat": "tiles",
    "gauge": "tiles",
    "table": "table",
}
PLAIN, SECONDS, PERCENT, SHORT = 0, 24, 1, 17
"""Units of a workbook. SHORT writes 1,200 as 1.2K."""
DIGITS: dict[Unit, int] = {"$": 2, "$/h": 2, "s": 3, "%": 1, "ratio": 1}
AUTOMATIC, BAR, HIDDEN, BIG, COLORED = 0, 4, 5, 12, 18


def visualization(panel: Panel) -> str:
    """Return the name under which a workbook knows the kind."""
    return VISUALIZATIONS[panel.kind]


def settings(panel: Panel) -> Json:
    """Return the settings of the panel's visualization."""
    if panel.kind == "table":
        return {"gridSettings": _grid(panel)}
    if panel.kind in ("stat", "gauge"):
        return {"tileSettings": _tiles(panel)}
    return {"chartSettings": _chart(panel)}


def number_format(unit: Unit) -> Json:
    """Return how a number of that unit is written."""
    if unit in ("$", "$/h"):
        return _format(PLAIN, {"style": "currency", "currency": "USD"}, unit)
    if unit == "ratio":
        return _format(PLAIN, {"style": "percent"}, unit)
    if unit in ("s", "%"):
        return _format(SECONDS if unit == "s" else PERCENT, {"style": "decimal"}, unit)
    kind = SHORT if unit in ("tokens", "calls") else PLAIN
    return _format(kind, {"style": "decimal"}, unit)


def _format(kind: int, options: Json, unit: Unit) -> Json:
    digits = DIGITS.get(unit, 2)
    return {
        "unit": kind,
        "options": options | {"maximumFractionDigits": digits, "useGrouping": True},
    }


def _chart(panel: Panel) -> Json:
    line = _threshold_line(panel.thresholds)
    return {
        **({"xAxis": panel.x} if panel.x else {"xAxis": "TimeGenerated"}),
        "yAxis": list(panel.y),
        **({"group": "Series"} if panel.series else {}),
        "createOtherGroup": 20,
        "showLegend": True,
        "ySettings": {"numberFormatSettings": number_format(panel.unit), "label": panel.unit},
        **({"customThresholdLine": f"{line:g}", "customThresholdLineStyle": 1} if line else {}),
    }


def _threshold_line(thresholds: Sequence[Threshold]) -> float | None:
    """Return where red begins, or where it ends in a panel whose low values are bad."""
    for lower, upper in pairwise(thresholds):
        if "redBright" in (lower.color, upper.color):
            return upper.at
    return None


def _tiles(panel: Panel) -> Json:
    value: Json = {"columnMatch": "Value", "numberFormat": number_format(panel.unit)}
    if panel.thresholds:
        value |= {"formatter": COLORED, "formatOptions": _colors(panel.thresholds)}
    else:
        value |= {"formatter": BIG, "formatOptions": {"palette": "none"}}
    return {
        "titleContent": {"columnMatch": "Title", "formatter": 1},
        "leftContent": value,
        "secondaryContent": {"columnMatch": "Note", "formatter": 1},
        "showBorder": True,
        "size": "auto",
    }


def _grid(panel: Panel) -> Json:
    labels = [{"columnId": c.name, "label": c.label} for c in panel.columns if c.label]
    return {
        "formatters": [_formatter(column) for column in panel.columns],
        "rowLimit": 1000,
        "filter": True,
        **({"labelSettings": labels} if labels else {}),
    }


def _formatter(column: Column) -> Json:
    match: Json = {"columnMatch": f"^{column.name}$"}
    if column.hidden:
        return match | {"formatter": HIDDEN}
    number: Json = {"numberFormat": number_format(column.unit)} if column.unit else {}
    if column.words:
        return match | {"formatter": COLORED, "formatOptions": _words(column)}
    if column.thresholds:
        return match | {"formatter": COLORED, "formatOptions": _colors(column.thresholds)} | number
    if column.bar:
        return match | {"formatter": BAR, "formatOptions": {"min": 0, "palette": "blue"}} | number
    return match | {"formatter": AUTOMATIC} | number


def _colors(thresholds: Sequence[Threshold]) -> Json:
    """Return the thresholds from the highest down: a workbook takes the first that fits."""
    rising = [(">=", f"{t.at:g}", t.color) for t in thresholds[:0:-1]]
    return _grid_of([*rising, ("Default", None, thresholds[0].color)])


def _words(column: Column) -> Json:
    named = [("==", word, color) for word, color in column.words.items()]
    return _grid_of([*named, ("Default", None, "gray")])


def _grid_of(rows: Sequence[tuple[str, str | None, str]]) -> Json:
    return {
        "thresholdsOptions": "colors",
        "thresholdsGrid": [
            {"operator": op, "thresholdValue": value, "representation": color, "text": "{0}{1}"}
            for op, value, color in rows
        ],
    }
