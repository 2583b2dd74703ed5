"""Reads how far totals were written, as the edition before kept it: one text in numbered parts."""

import json
from collections.abc import Iterator
from datetime import datetime

from pydantic import TypeAdapter

from shared.errors import RetryLater
from shared.mark_port import Written
from shared.rows import MetricRow
from shared.storage.packing import packed, unpacked
from shared.storage.rows import Fields, Row, Rows
from shared.storage.totals import Totals

_PART_CHARS = 800_000
_ROWS = TypeAdapter(tuple[MetricRow, ...])


def landed_written(rows: Rows, head: Row, partition: str) -> Written:
    """Return what that head and its parts hold.

    Raises:
        RetryLater: a process of that edition is writing it.
    """
    version = head.number("version")
    places = [(partition, _part(number)) for number in range(head.number("parts"))]
    parts = [row for row in rows.get_each(places) if row]
    if len(parts) < len(places) or {part.number("version") for part in parts} != {version}:
        raise RetryLater("The edition before writes the metrics; the next tick goes on.")
    fields = json.loads("".join(map(unpacked, parts)))
    totals = Totals()
    for line in fields["totals"]:
        totals.take(*line)
    minute, until = (datetime.fromisoformat(fields[name]) for name in ("minute", "until"))
    return Written(version, minute, totals.state(), _ROWS.validate_python(fields["owed"]), until)


def mark_rows(version: int, text: str) -> Iterator[tuple[str, Fields]]:
    """Yield the keys and fields that hold the text, the head first."""
    starts = range(0, len(text), _PART_CHARS)
    yield "head", {"version": version, "parts": len(starts)}
    for number, start in enumerate(starts):
        data = packed(text[start : start + _PART_CHARS], "totals. Lower SERIES_MAX.")
        yield _part(number), {"version": version, **data}


def _part(number: int) -> str:
    return f"part{number:02}"
