"""How much of the file the rows take, and which of them are too many."""

from datetime import datetime

import duckdb

from standin.monitor.schema import OWNED, STORED

KEPT = 0.8
"""To which part of the limit a file is cut that is over it, so that it is not cut each hour."""
_TABLES = (*STORED, OWNED.name)


def used_bytes(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return the bytes that rows take, without those that are deleted, and those of all blocks."""
    _, _, block, blocks, used, *_ = con.execute("PRAGMA database_size").fetchall()[0]
    live = stored = 1
    for name in _TABLES:
        (count,) = con.execute(f'SELECT count(*) FROM raw."{name}"').fetchall()[0]  # noqa: S608
        rows = "SELECT coalesce(sum(count), 0) FROM pragma_storage_info(?) WHERE column_id = 0"
        with_deleted = con.execute(f"{rows} AND segment_type <> 'VALIDITY'", [f"raw.{name}"])
        live, stored = live + count, stored + int(with_deleted.fetchall()[0][0])
    return int(min(1.0, live / stored) * used * block), blocks * block


def first_to_keep(con: duckdb.DuckDBPyConnection, most_bytes: int) -> datetime | None:
    """Return the moment before which rows must go, None while all have room."""
    used, _ = used_bytes(con)
    if used <= most_bytes:
        return None
    times = " UNION ALL ".join(f'SELECT "TimeGenerated" FROM raw."{name}"' for name in _TABLES)  # noqa: S608
    part = 1 - KEPT * most_bytes / used
    found = con.execute(f'SELECT quantile_disc("TimeGenerated", ?) FROM ({times})', [part])  # noqa: S608
    return found.fetchall()[0][0]
