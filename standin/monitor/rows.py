"""Turns an envelope of Application Insights into rows of the App* tables and UsageEvents."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from shared.events.columns import ATTEMPT, NUMBERS, OWNER, OWNER_ROW, SPAN_CHARS, TEXT
from standin.monitor.schema import CONSTANTS, TAGS
from standin.monitor.values import Json, as_text, dump, duration_ms, finite, mapping

Row = tuple[object, ...]
Identity = tuple[str, str]
"""Source and id of an event."""

_TAG_NAMES = tuple(tag for _, tag in TAGS)
_CONSTANTS = tuple(value for _, value in CONSTANTS)
_OPERATION_ID, _PARENT_ID, _CLIENT_IP = (
    [column for column, _ in TAGS].index(name) for name in ("OperationId", "ParentId", "ClientIP")
)
_HIDDEN_ADDRESS = "0.0.0.0"  # noqa: S104 - what the service shows for an address; we bind none
_SEVERITIES = {"verbose": 0, "information": 1, "warning": 2, "error": 3, "critical": 4}
_LEVELS = ("0", "1", "2", "3", "4")
_MOST_INT, _MOST_LONG = 2**31 - 1, 2**63 - 1
_MOST_NAME = 512
_TRACE_CHARS = 32
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A row for UsageEvents: its visible cells, and the attempt it carries, if any."""

    identity: Identity
    cells: Row
    attempt: float | None


def _is_of_span(row: UsageRow) -> bool:
    return row.identity[1][_TRACE_CHARS : _TRACE_CHARS + 1] == ":"


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one request, by table; those of UsageEvents apart, as they know each other.

    owned: rows of whose work events are.
    """

    received_at: datetime
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    tables: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    usage: list[UsageRow] = field(default_factory=list[UsageRow])
    owned: list[Row] = field(default_factory=list[Row])

    def spans(self) -> set[str]:
        """Return the traces and spans that events or rows of whose work they are come from."""
        of_events = {row.identity[1][:SPAN_CHARS] for row in self.usage if _is_of_span(row)}
        return of_events | {str(row[2]) for row in self.owned}

    def minutes(self) -> tuple[datetime, datetime]:
        """Return the first of its minutes, and the one after the last."""
        times = [
            cast("datetime", row[0]).replace(second=0, microsecond=0)
            for row in (*(row.cells for row in self.usage), *self.owned)
        ]
        return min(times), max(times) + MINUTE


@dataclass(frozen=True, slots=True)
class _Item:
    """One envelope on its way to be rows."""

    envelope: Json
    at: datetime
    received: datetime
    id: str
    tags: Sequence[str]
    data: Json
    properties: Mapping[str, str]
    measurements: Mapping[str, float]

    def text(self, key: str) -> str:
        """Return a field of the data as text, "" where it is missing."""
        value = self.data.get(key)
        return "" if value is None else as_text(value)


def add_rows(batch: Batch, envelope: Json, at: datetime, index: int) -> None:
    """Add what the envelope says to the batch; a kind of data that we do not know adds nothing.

    Raises:
        BadItem: the data is malformed, or a number of it is not finite.
    """
    kind, data = _payload(envelope)
    convert = _CONVERTERS.get(kind)
    if convert is None:
        return
    item = _Item(
        envelope,
        at.astimezone(UTC).replace(tzinfo=None),
        batch.received_at.astimezone(UTC).replace(tzinfo=None),
        f"{batch.id}-{index}",
        _tag_cells(mapping(envelope.get("tags"), "tags")),
        data,
        _properties(data),
        _measurements(data),
    )
    table, rows = convert(item)
    batch.tables.setdefault(table, []).extend(rows)
    if table == "AppEvents" and item.properties.get("id"):
        batch.usage.append(_usage(item))
    if table == "AppEvents" and item.text("name") == OWNER_ROW:
        batch.owned.extend(_owned(item))


def _payload(envelope: Json) -> tuple[str, Json]:
    data = mapping(envelope["data"], "data")
    return str(data.get("baseType")), mapping(data.get("baseData"), "baseData")


def _properties(data: Json) -> Mapping[str, str]:
    given = mapping(data.get("properties"), "properties")
    return {key: as_text(value) for key, value in given.items() if value is not None}


def _measurements(data: Json) -> Mapping[str, float]:
    given = mapping(data.get("measurements"), "measurements")
    return {key: finite(value, key) for key, value in given.items() if value is not None}


def _row(item: _Item, table: str, own: Row, count: int | None = None) -> Row:
    """Return the row: the columns that all tables have, then its own."""
    properties = dump(item.properties)
    return (
        item.at,
        *item.tags,
        *_CONSTANTS,
        str(item.envelope["iKey"]),
        table,
        item.id,
        _sampled(item.envelope) if count is None else count,
        properties,
        float(len(properties)),
        item.received,
        *own,
    )


def _tag_cells(tags: Json) -> list[str]:
    cells = [as_text(tags.get(name) or "") for name in _TAG_NAMES]
    for column in (_OPERATION_ID, _PARENT_ID):
        # An id of zeros is how OpenTelemetry says that there is none.
        if not cells[column].strip("0"):
            cells[column] = ""
    cells[_CLIENT_IP] = cells[_CLIENT_IP] or _HIDDEN_ADDRESS
    return cells


def _sampled(envelope: Json) -> int:
    """Return how many items this one stands for."""
    rate = envelope.get("sampleRate")
    if rate is None:
        return 1
    percent = finite(rate, "sampleRate")
    return max(1, min(round(100 / percent), _MOST_INT)) if percent > 0 else 1


def _severity(data: Json) -> int | None:
    level = str(data.get("severityLevel")).lower()
    return int(level) if level in _LEVELS else _SEVERITIES.get(level)


def _event(item: _Item) -> tuple[str, Sequence[Row]]:
    own = (item.text("name")[:_MOST_NAME], dump(item.measurements))
    return "AppEvents", [_row(item, "AppEvents", own)]


def _metric(item: _Item) -> tuple[str, Sequence[Row]]:
    given = item.data.get("metrics")
    metrics = cast("list[object]", given) if isinstance(given, list) else []
    return "AppMetrics", [_metric_row(item, mapping(metric, "metrics")) for metric in metrics]


def _metric_row(item: _Item, metric: Json) -> Row:
    """A single measurement is its own least and most; a sum of several has what it was given."""
    value = finite(metric.get("value"), "value")
    count = max(1, min(int(finite(metric.get("count") or 1, "count")), _MOST_INT))
    low, high = (_bound(metric, name, value if count == 1 else None) for name in ("min", "max"))
    return _row(item, "AppMetrics", (str(metric.get("name")), float(value), low, high), count)


def _bound(metric: Json, name: str, default: float | None) -> float | None:
    value = metric.get(name)
    return default if value is None else float(finite(value, name))


def _trace(item: _Item) -> tuple[str, Sequence[Row]]:
    own = (item.text("message"), _severity(item.data), dump(item.measurements), "", "")
    return "AppTraces", [_row(item, "AppTraces", own)]


def _call(item: _Item, code: str) -> Row:
    success = item.data.get("success")
    return (
        item.text("id"),
        item.text("name"),
        item.text(code),
        "",
        success if isinstance(success, bool) else None,
        duration_ms(item.text("duration")),
        dump(item.measurements),
        "",
        "",
    )


def _request(item: _Item) -> tuple[str, Sequence[Row]]:
    own = (*_call(item, "responseCode"), item.text("source"), item.text("url"))
    return "AppRequests", [_row(item, "AppRequests", own)]


def _dependency(item: _Item) -> tuple[str, Sequence[Row]]:
    own = (*_call(item, "resultCode"), item.text("target"), item.text("type"), item.text("data"))
    return "AppDependencies", [_row(item, "AppDependencies", own)]


def _exception(item: _Item) -> tuple[str, Sequence[Row]]:
    given = item.data.get("exceptions")
    details = cast("list[object]", given) if isinstance(given, list) else []
    chain = [mapping(one, "exceptions") for one in details] or [{}]
    outer, inner = (
        (as_text(e.get("typeName") or ""), as_text(e.get("message") or ""))
        for e in (chain[0], chain[-1])
    )
    own = (
        item.text("problemId") or outer[0],
        "",
        *outer,
        "",
        "",
        *outer,
        "",
        "",
        *inner,
        "",
        "",
        _severity(item.data),
        dump(details),
        dump(item.measurements),
    )
    return "AppExceptions", [_row(item, "AppExceptions", own)]


_CONVERTERS: Mapping[str, Callable[[_Item], tuple[str, Sequence[Row]]]] = {
    "EventData": _event,
    "MetricData": _metric,
    "MessageData": _trace,
    "RequestData": _request,
    "RemoteDependencyData": _dependency,
    "ExceptionData": _exception,
}


def _usage(item: _Item) -> UsageRow:
    """Return the typed columns of the event, as tostring, tolong and todouble would read them."""
    text, numbers = item.properties, item.measurements
    identity = (text.get("source", ""), text["id"])
    cells = (
        item.at,
        item.text("name")[:_MOST_NAME],
        *(text.get(column.stored, "") for column in TEXT),
        *(_number(numbers.get(column.stored), column.key, column.type) for column in NUMBERS),
        item.tags[_OPERATION_ID],
        item.tags[_PARENT_ID],
    )
    attempt = numbers.get(ATTEMPT)
    return UsageRow(identity, cells, None if attempt is None else float(attempt))


def _owned(item: _Item) -> Iterator[Row]:
    """Yield a row for each span whose events get another owner."""
    text = item.properties
    owner = [text.get(column.stored, "") for column in TEXT if column.key in OWNER]
    for span_id in text.get("spans", "").split(","):
        span = f"{text.get('trace', '')}:{span_id}"
        yield (item.at, text.get("source", ""), span, item.measurements.get("known"), *owner)


def _number(value: float | None, key: str, kql_type: str) -> float | None:
    if value is None:
        return 1 if key == "count" else None
    if kql_type == "real":
        return float(value)
    return max(-_MOST_LONG - 1, min(int(value), _MOST_LONG))
