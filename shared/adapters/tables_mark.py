"""How far the running totals are written, in Azure Tables: a head and its parts."""

from collections.abc import Iterator
from dataclasses import replace

from azure.data.tables import TableServiceClient

from shared.adapters import tables_row
from shared.adapters.marks import FASTER, as_text, of_text
from shared.adapters.storage_tables import Conflict, Rows
from shared.adapters.tables_row import Operation, create, packed, unpacked, upsert
from shared.errors import RetryLater
from shared.ports import Written

_PARTITION = "mark"
_HEAD = "head"
_PART_CHARS = 800_000
"""Of ASCII text: compressed they fit a row even if they are noise."""


class TableMark:
    """Rows of one partition, changed in one transaction; fits ports.Mark.

    Every row names its version, so that a text of two versions is never taken for one.
    """

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = Rows(service, "series")

    def load(self) -> Written:
        """Return what is stored.

        Raises:
            RetryLater: it changed while it was read.
        """
        rows = {row.key: row for row in self._rows.query(f"PartitionKey eq '{_PARTITION}'")}
        if _HEAD not in rows:
            return Written()
        head = rows[_HEAD].fields
        names = [_part(number) for number in range(head["parts"])]
        parts = [rows[name] for name in names if name in rows]
        if {part.fields["version"] for part in parts} != {head["version"]}:
            raise RetryLater(FASTER)
        return of_text(head["version"], "".join(map(unpacked, parts)))

    def save(self, written: Written) -> Written:
        """Store it in place of what has its version, or raise RetryLater and do nothing.

        Raises:
            GiveUp: it has more series, or owes more rows, than one transaction holds.
        """
        saved = replace(written, version=written.version + 1)
        try:
            self._rows.commit(list(self._changes(saved)))
        except Conflict:
            raise RetryLater(FASTER) from None
        return saved

    def _changes(self, saved: Written) -> Iterator[Operation]:
        """Yield the operations; they are a conflict unless the version before is the stored one."""
        version, text = {"version": saved.version}, as_text(saved)
        starts = range(0, len(text), _PART_CHARS)
        fields = {**version, "parts": len(starts)}
        head = self._rows.get(_PARTITION, _HEAD, "version")
        if (head.fields["version"] if head else 0) != saved.version - 1:
            raise RetryLater(FASTER)
        yield (
            tables_row.replace(_PARTITION, _HEAD, fields, head.etag)
            if head
            else create(_PARTITION, _HEAD, fields)
        )
        for number, start in enumerate(starts):
            data = packed(text[start : start + _PART_CHARS], "totals. Lower SERIES_MAX.")
            yield upsert(_PARTITION, _part(number), {**version, **data})


def _part(number: int) -> str:
    return f"part{number:02}"
