"""How far the running totals are written to AppMetrics: a head and its parts."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from shared.errors import RetryLater
from shared.mark_port import Written
from shared.rows import MetricRow
from shared.storage.packing import packed, unpacked
from shared.storage.rows import Change, Conflict, Fields, Insert, Put, Replace, Rows
from shared.storage.totals import Totals

FASTER = "Another process writes the metrics of this minute; the next tick goes on."
_ROWS = TypeAdapter(tuple[MetricRow, ...])


_PARTITION = "mark"
_HEAD = "head"
_PART_CHARS = 800_000
"""Of ASCII text: compressed they fit a row even if they are noise."""


class RowMark:
    """Rows of one partition, changed in one transaction; fits ports.Mark.

    Every row names its version, so that a text of two versions is never taken for one.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def load(self) -> Written:
        """Return what is stored.

        Raises:
            RetryLater: it changed while it was read.
        """
        rows = {row.key: row for row in self._rows.query(_PARTITION)}
        if _HEAD not in rows:
            return Written()
        version = rows[_HEAD].number("version")
        names = [_part(number) for number in range(rows[_HEAD].number("parts"))]
        parts = [rows[name] for name in names if name in rows]
        if {part.number("version") for part in parts} != {version}:
            raise RetryLater(FASTER)
        return of_text(version, "".join(map(unpacked, parts)))

    def save(self, written: Written) -> Written:
        """Store it in place of what has its version, or raise RetryLater and do nothing.

        Raises:
            GiveUp: it has more series, or owes more rows, than one transaction holds.
        """
        saved = replace(written, version=written.version + 1)
        try:
            self._rows.commit(_PARTITION, list(self._changes(saved)))
        except Conflict:
            raise RetryLater(FASTER) from None
        return saved

    def _changes(self, saved: Written) -> Iterator[Change]:
        """Yield the changes; they are a conflict unless the version before is the stored one."""
        (_, fields), *parts = mark_rows(saved.version, as_text(saved))
        head = self._rows.get(_PARTITION, _HEAD, "version")
        if (head.number("version") if head else 0) != saved.version - 1:
            raise RetryLater(FASTER)
        yield Replace(_HEAD, fields, head.etag) if head else Insert(_HEAD, fields)
        for key, data in parts:
            yield Put(key, data)


def mark_rows(version: int, text: str) -> Iterator[tuple[str, Fields]]:
    """Yield the keys and fields that hold the text, the head first."""
    starts = range(0, len(text), _PART_CHARS)
    yield _HEAD, {"version": version, "parts": len(starts)}
    for number, start in enumerate(starts):
        data = packed(text[start : start + _PART_CHARS], "totals. Lower SERIES_MAX.")
        yield _part(number), {"version": version, **data}


def as_text(written: Written) -> str:
    """Write everything but the version as JSON of ASCII letters."""
    totals = Totals(
        dict(written.totals.counters), dict(written.totals.histograms), dict(written.totals.gauges)
    )
    fields = {
        "minute": written.minute.isoformat(),
        "until": written.until.isoformat(),
        "owed": _ROWS.dump_python(written.owed, mode="json"),
        "totals": list(totals.lines()),
    }
    return json.dumps(fields, separators=(",", ":"))


def of_text(version: int, text: str) -> Written:
    """Read back what as_text() wrote."""
    fields = json.loads(text)
    totals = Totals()
    for line in fields["totals"]:
        totals.take(*line)
    minute, until = (datetime.fromisoformat(fields[name]) for name in ("minute", "until"))
    return Written(version, minute, totals.state(), _ROWS.validate_python(fields["owed"]), until)


def _part(number: int) -> str:
    return f"part{number:02}"
