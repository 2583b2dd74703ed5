"""Reads the answer of a query that has the first rows of a list, and how many there are in all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from shared.usecases.spending.costs import Row


def ranked(
    found: Sequence[Row], kind: str, fields: Mapping[str, str], offset: int, at: str, id: str
) -> tuple[tuple[Row, ...], int]:
    """Return the rows behind the offset, the largest first, then the latest; and the count.

    kind: what `Kind` says of such rows, where the row of the count says "count". fields: name →
    column. at, id: columns of their time and name.
    """

    def place(row: Row) -> tuple[bool, float, float, str]:
        sort, moment = cast("float | None", row["Sort"]), cast("datetime", row[at])
        return sort is None, -(sort or 0), -moment.timestamp(), str(row[id])

    rows = sorted((row for row in found if row["Kind"] == kind), key=place)
    count = sum(cast("int", row["Count"]) for row in found if row["Kind"] == "count")
    return tuple({name: row[c] for name, c in fields.items()} for row in rows[offset:]), count
