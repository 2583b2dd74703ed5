"""What Azure Monitor's SDK would silently cut, drop or bend, and what a row weighs."""

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache

from shared.events.carried_span import SDK_OWN
from shared.rows import EventRow, FailureRow, MetricRow, SpanRow

ITEM_MAX_BYTES = 65_536
ENVELOPE_BYTES = 1_024
"""More than the SDK writes around a row's own names and values (about 600)."""
TEXT_MAX_CHARS = 8_192
COUNT_MAX = 2**31 - 1
"""AppMetrics.ItemCount is an int of 32 bits."""
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,149}")
"""No dots: dotted names may be the SDK's own, which move a row to another table."""
EVENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,511}")
SPAN_ATTRIBUTE = re.compile(rf"(?!{SDK_OWN.pattern}).{{1,150}}")
IDS = re.compile(r"([0-9a-f]{32})?,([0-9a-f]{16})?")
SPAN_IDS = re.compile(r"[0-9a-f]{32},[0-9a-f]{16},([0-9a-f]{16})?")


def event_fault(row: EventRow) -> str:
    """Say why the row cannot be sent as it is, never quoting a value; "" if it can."""
    return bent_event(row) or size_fault(event_bytes(row))


def bent_event(row: EventRow) -> str:
    """Say why the row would not arrive as it is, apart from its size; "" if it would."""
    if not EVENT_NAME.fullmatch(row.name):
        return "Its name is no event name. Use letters, digits, _ and dots, at most 512."
    if not IDS.fullmatch(f"{row.operation_id},{row.parent_id}"):
        return "Its trace ids are not 32 and 16 hex digits. Correct the event's traceparent."
    return (
        _name_fault((*row.text, *row.numbers))
        or _text_fault(row.text)
        or _number_fault(row.numbers)
    )


def metric_fault(row: MetricRow) -> str:
    """Say why the row cannot be sent as it is, never quoting a value; "" if it can."""
    labels = dict(row.labels)
    numbers = {"total": row.total, "low": row.low or 0, "high": row.high or 0}
    return (
        _name_fault((row.name, *labels))
        or _text_fault(labels)
        or _number_fault(numbers)
        or _count_fault(row)
        or size_fault(metric_bytes(row))
    )


def span_fault(row: SpanRow) -> str:
    """Say why the row cannot be sent as it is, never quoting a value; "" if it can."""
    return bent_span(row) or size_fault(span_bytes(row))


def bent_span(row: SpanRow) -> str:
    """Say why the row would not arrive as it is, apart from its size; "" if it would."""
    if not SPAN_IDS.fullmatch(f"{row.trace_id},{row.span_id},{row.parent_id}"):
        return "Its ids are not 32, 16 and 16 hex digits. Correct the sender's exporter."
    if not all(map(_is_free, row.text)):
        return "One of its attributes means another kind of row to the SDK. Rename it."
    return _text_fault({"name": row.name, **row.text})


def failure_fault(row: FailureRow) -> str:
    """Say why the row cannot be sent as it is, never quoting a value; "" if it can."""
    if not IDS.fullmatch(f"{row.trace_id},{row.parent_id}"):
        return "Its trace ids are not 32 and 16 hex digits."
    text = {"message": row.message, "stack": row.stack, **row.text}
    return _name_fault(tuple(row.text)) or _text_fault(text) or size_fault(failure_bytes(row))


def event_bytes(row: EventRow) -> int:
    """Return what the row takes at most in a request, as JSON before packing."""
    return ENVELOPE_BYTES + len(json.dumps((row.name, dict(row.text), dict(row.numbers))))


def metric_bytes(row: MetricRow) -> int:
    """Return what the row takes at most in a request, as JSON before packing."""
    return ENVELOPE_BYTES + len(json.dumps((row.name, row.labels)))


def span_bytes(row: SpanRow) -> int:
    """Return what the row takes at most in a request, as JSON before packing."""
    return ENVELOPE_BYTES + len(json.dumps((row.name, row.name, row.role, dict(row.text))))


def failure_bytes(row: FailureRow) -> int:
    """Return what the row takes at most in a request, as JSON before packing."""
    return ENVELOPE_BYTES + len(json.dumps((row.type, row.message, row.stack, dict(row.text))))


@lru_cache(maxsize=1_024)
def _is_plain(name: str) -> bool:
    return bool(PLAIN_NAME.fullmatch(name))


@lru_cache(maxsize=1_024)
def _is_free(name: str) -> bool:
    return bool(SPAN_ATTRIBUTE.fullmatch(name))


def _name_fault(names: tuple[str, ...]) -> str:
    if all(map(_is_plain, names)):
        return ""
    return "One of its names is not of letters, digits and _, at most 150. Rename it."


def _text_fault(text: Mapping[str, str]) -> str:
    for name, value in text.items():
        if len(value) > TEXT_MAX_CHARS:
            return f"{name} has {len(value)} characters; the limit is 8,192. Shorten it."
    return ""


def _number_fault(numbers: Mapping[str, float]) -> str:
    for name, value in numbers.items():
        if not _exact(value):
            return f"{name} is no finite number that a double holds exactly. Send one."
    return ""


def _exact(value: float) -> bool:
    try:
        return not isinstance(value, bool) and math.isfinite(value) and float(value) == value
    except OverflowError:
        return False


def _count_fault(row: MetricRow) -> str:
    if (row.low is None) != (row.high is None) or (row.low is None and row.count != 1):
        return "A count other than 1 needs both low and high. Give both, or send one row each."
    if not 1 <= row.count <= COUNT_MAX:
        return f"It counts {row.count} observations; 1 to {COUNT_MAX} fit. Send several rows."
    return ""


def size_fault(size_bytes: int) -> str:
    """Say that an item of so many bytes is too large; "" if it is not."""
    if size_bytes <= ITEM_MAX_BYTES:
        return ""
    return f"It takes {size_bytes} bytes; an item may take 65,536. Shorten its longest texts."
