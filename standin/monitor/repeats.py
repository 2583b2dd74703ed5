"""Marks the rows of events that came again, so that a query shows each event once."""

from collections.abc import Collection

import duckdb

from standin.monitor.rows import Identity

_SUPERSEDE = """
    WITH again AS (
        SELECT unnest($sources) AS from_source, unnest($ids) AS with_id
    ), ranked AS (
        SELECT event.rowid AS row,
            max("_Attempt") OVER moment IS NOT NULL AND 1 < row_number() OVER (
                moment ORDER BY "_Attempt" DESC NULLS LAST, event.rowid DESC
            ) AS superseded,
            min("TimeGenerated") OVER event <> max("TimeGenerated") OVER event AS moved
        FROM raw."UsageEvents" AS event
        JOIN again ON "Source" = from_source AND "EventId" = with_id
        WINDOW event AS (PARTITION BY "Source", "EventId"),
            moment AS (PARTITION BY "Source", "EventId", "TimeGenerated")
    )
    UPDATE raw."UsageEvents" AS event SET "_Superseded" = superseded, "_Repeated" = moved
    FROM ranked WHERE event.rowid = ranked.row
        AND ("_Superseded" <> superseded OR "_Repeated" <> moved)
"""


def supersede(con: duckdb.DuckDBPyConnection, events: Collection[Identity]) -> None:
    """Mark which rows of these events give way to others, in the open transaction.

    The rows without an attempt give way to those with, and the highest attempt stands for all.
    """
    if events:
        sources, ids = ([identity[side] for identity in events] for side in (0, 1))
        con.execute(_SUPERSEDE, {"sources": sources, "ids": ids})


def are_moved(con: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the rows of some event stand at several moments."""
    found = con.execute('SELECT 1 FROM raw."UsageEvents" WHERE "_Repeated" LIMIT 1')
    return found.fetchone() is not None
