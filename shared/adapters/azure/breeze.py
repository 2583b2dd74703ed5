"""Writes rows as the items that Azure Monitor's ingestion takes, equal to the SDK's."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from pydantic_core import PydanticSerializationError, to_json

from shared.events.columns import measurements, properties
from shared.rows import EventRow, SpanRow

NAME_MAX_CHARS = 1_024
MILLISECOND = timedelta(milliseconds=1)
HALF = timedelta(microseconds=500)
Envelope = Mapping[str, object]


def event_envelope(row: EventRow, key: str, role: str) -> Envelope:
    """Return the item of a row of AppEvents. key: the instrumentation key."""
    data = {
        "ver": 2,
        "name": row.name,
        "properties": properties(row.text),
        "measurements": measurements(row.numbers),
    }
    tags = _tags(role, row.operation_id, row.parent_id)
    return _envelope("Event", row.time, key, tags, data)


def span_envelope(row: SpanRow, key: str) -> Envelope:
    """Return the item of a row of AppDependencies. key: the instrumentation key."""
    url = row.url if row.client else ""
    name = f"{row.name.partition(' ')[0]} {urlsplit(url).path or '/'}" if url else row.name
    kind, target = _called(row, url)
    data: dict[str, object] = {
        "ver": 2,
        "name": name[:NAME_MAX_CHARS],
        "id": row.span_id,
        "resultCode": str(int(row.result or 0)) if url else "0",
        "duration": _duration(row.duration),
        "success": not row.failed,
        "properties": row.text,
        "measurements": {},
        "type": kind[:NAME_MAX_CHARS],
    }
    if url:
        data["data"] = url
    if target:
        data["target"] = target[:NAME_MAX_CHARS]
    tags = _tags(row.role, row.trace_id, row.parent_id, name)
    return _envelope("RemoteDependency", row.time, key, tags, data)


def to_item(envelope: Envelope) -> bytes:
    """Return the envelope as JSON; half a surrogate pair is escaped, for UTF-8 has none."""
    try:
        return to_json(envelope)
    except PydanticSerializationError:
        return json.dumps(envelope).encode()


def _envelope(
    kind: str, at: datetime, key: str, tags: Envelope, data: Mapping[str, object]
) -> Envelope:
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "time": f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z",
        "iKey": key,
        "tags": tags,
        "data": {"baseType": f"{kind}Data", "baseData": data},
    }


def _tags(role: str, trace_id: str, parent_id: str, name: str = "") -> dict[str, str]:
    """Return what describes the row itself; a tag is billed, and one of zeros says nothing."""
    given = (
        ("ai.cloud.role", role),
        ("ai.operation.id", trace_id),
        ("ai.operation.parentId", parent_id),
        ("ai.operation.name", name),
    )
    return {tag: text for tag, text in given if text.strip("0")}


def _called(row: SpanRow, url: str) -> tuple[str, str]:
    """Return the type of a dependency, and what it called."""
    system, host = row.text.get("gen_ai.system"), urlsplit(url).netloc
    if system or (system == "" and not url):
        return f"GenAI | {system}", host or (system if row.client else "")
    if row.client:
        return ("HTTP" if url else "N/A"), host
    return "InProc", ""


def _duration(given: timedelta) -> str:
    """Write the time as .NET does: `d.hh:mm:ss.fff`."""
    seconds, ms = divmod((given + HALF) // MILLISECOND, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}.{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"
