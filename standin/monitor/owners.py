"""Keeps the events of spans as the rows of whose work they are say, whichever comes first."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import duckdb

from shared.events.columns import COLUMNS, OWNER, OWNER_ROW, SPAN_CHARS
from standin.monitor.schema import OWNED

OWNERS: Mapping[str, str] = {one.name: one.stored for one in COLUMNS if one.key in OWNER}
"""Column that names the owner of an event → the property that it comes from."""
EVER = (datetime.min, datetime.max)  # noqa: DTZ901  # as DuckDB's TIMESTAMP has them

_LATE = ", ".join(
    f"""{name} = coalesce(nullif(late.owner.{name}, ''), event.{name})"""
    for name in (f'"{name}"' for name in OWNERS)
)
_OWN = f"""
    UPDATE raw."UsageEvents" AS event SET {_LATE}
    FROM (
        SELECT "Source", "Span", max_by(owned, "Known") AS owner FROM raw."{OWNED.name}" AS owned
        WHERE "TimeGenerated" >= $first AND "TimeGenerated" < $end
            AND "Span" IN (SELECT unnest($spans)) GROUP BY ALL
    ) AS late
    WHERE event."TimeGenerated" >= $first AND event."TimeGenerated" < $end
        AND event."Source" = late."Source" AND left(event."EventId", {SPAN_CHARS}) = late."Span"
"""  # noqa: S608 - our own names
"""The row that names the owner of an event stands in the minute of the event."""


def of_property(name: str) -> str:
    """Return SQL for a property of an AppEvents row, "" where it has none."""
    return f"""coalesce(json_extract_string("Properties", '$."{name}"'), '')"""


_GONE = f"""
    SELECT {of_property("source")}, {of_property("trace")} || ':'
        || unnest(string_split({of_property("spans")}, ',')),
        CAST(json_extract("Measurements", '$.known') AS DOUBLE)
    FROM raw."AppEvents" WHERE "Name" = '{OWNER_ROW}' AND ({{where}})
"""  # noqa: S608 - our own names
_AS_SENT = f"""
    UPDATE raw."UsageEvents" AS event
    SET {", ".join(f'"{name}" = sent."{name}"' for name in OWNERS)}
    FROM (
        SELECT {of_property("source")} AS from_source, {of_property("id")} AS with_id,
            {", ".join(f'{of_property(key)} AS "{name}"' for name, key in OWNERS.items())}
        FROM raw."AppEvents"
    ) AS sent
    WHERE event."Source" = from_source AND event."EventId" = with_id
        AND left(with_id, {SPAN_CHARS}) IN (SELECT unnest(?))
"""  # noqa: S608 - our own names


def own(
    con: duckdb.DuckDBPyConnection, spans: Collection[str], first: datetime, end: datetime
) -> None:
    """Give the events of the spans, in that time, the owner that was learnt last."""
    con.execute(_OWN, {"spans": list(spans), "first": first, "end": end})


def disown(con: duckdb.DuckDBPyConnection, where: str, values: Sequence[object]) -> None:
    """Take back what those rows of AppEvents say of whose work events are; they are still there."""
    gone = con.execute(_GONE.format(where=where), list(values)).fetchall()
    if not gone:
        return
    rows = {"sources": [row[0] for row in gone], "spans": [row[1] for row in gone]}
    con.execute(
        f"""DELETE FROM raw."{OWNED.name}" WHERE ("Source", "Span", "Known") IN (
            SELECT unnest($sources), unnest($spans), unnest($known))""",  # noqa: S608 - our own name
        {**rows, "known": [row[2] for row in gone]},
    )
    con.execute(_AS_SENT, [rows["spans"]])
    own(con, rows["spans"], *EVER)
