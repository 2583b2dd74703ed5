"""Writes a value of DuckDB as a cell of the Log Analytics API."""

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import cast

from duckdb_kql.types import kusto_type

Cell = Callable[[object], object]


def kql_type(duckdb_type: object) -> str:
    """Return the type as the API names it: string long int real bool datetime timespan dynamic
    guid decimal."""
    return kusto_type(duckdb_type)


def converter(duckdb_type: object) -> Cell | None:
    """Return what makes a cell of a value of this type; None where the value is one already."""
    if str(duckdb_type) == "JSON[]":
        return _list_of_json
    return _CONVERTERS.get(_own_kind(duckdb_type))


def _own_kind(duckdb_type: object) -> str:
    """JSON is text already; lists and structures, dynamic too, are not."""
    return "json" if str(duckdb_type) == "JSON" else kql_type(duckdb_type)


def datetime_text(at: datetime) -> str:
    """Return ISO 8601 in UTC with seven decimals, as the API writes it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "0Z"


def timespan_text(span: timedelta) -> str:
    """Return `[-][d.]hh:mm:ss[.fffffff]`."""
    if span < timedelta():
        return "-" + timespan_text(-span)
    minutes, seconds = divmod(span.seconds, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    days = f"{span.days}." if span.days else ""
    return days + text + (f".{span.microseconds:06}0" if span.microseconds else "")


def _text(value: object) -> object:
    return "" if value is None else value


def _real(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _datetime(value: object) -> object:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return (
        datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, date)
        else None
    )


def _timespan(value: object) -> object:
    return timespan_text(value) if isinstance(value, timedelta) else None


def _other_text(value: object) -> object:
    return None if value is None else str(value)


def _dynamic(value: object) -> object:
    if value is None:
        return None
    return json.dumps(value, default=_inside, ensure_ascii=False, separators=(",", ":"))


def _inside(value: object) -> object:
    if isinstance(value, date):
        return datetime_text(cast("datetime", _datetime(value)))
    return timespan_text(value) if isinstance(value, timedelta) else str(value)


def _list_of_json(value: object) -> object:
    items = cast("Sequence[str | None] | None", value)
    if items is None:
        return None
    return f"[{','.join('null' if item is None else item for item in items)}]"


_CONVERTERS: dict[str, Cell] = {
    "string": _text,
    "real": _real,
    "datetime": _datetime,
    "timespan": _timespan,
    "guid": _other_text,
    "decimal": _other_text,
    "dynamic": _dynamic,
}
