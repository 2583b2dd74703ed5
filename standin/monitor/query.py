"""Runs a query on DuckDB and gives its answer as Microsoft's query client hands it out."""

import re
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Literal

import duckdb

from ops.generated.history_kql import history_sql
from standin.monitor.cells import converter, kql_type
from standin.monitor.refusal import BadQuery, QueryTimeout, semantic, unsupported
from standin.monitor.schema import HISTORY, TABLES, USAGE, Table
from standin.monitor.translate import translate

_AGAIN_S = 0.02
Row = tuple[object, ...]
Repeats = Literal["none", "in place", "moved"]
"""Whether events may have come more than once, and some of them at several moments."""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer to a query.

    types: of the columns: string long int real bool datetime timespan dynamic guid decimal.
    rows: datetimes are aware; a real that is no number is "NaN", "Infinity" or "-Infinity";
        dynamic values are JSON text, timespans text; a missing string is "", all else None.
    partial: there were more rows than one answer holds; the first ones are here.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[Row, ...]
    elapsed_s: float
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a query may take, and how many rows its answer holds.

    threads: of DuckDB, for all queries together; None is one a core. Over little data one is
        several times faster than two.
    """

    wait_s: float = 180.0
    rows: int = 500_000
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a query sees: start <= TimeGenerated < end; None is no limit."""

    start: datetime | None
    end: datetime | None

    def condition(self) -> str:
        """Return the limits as a condition of SQL."""
        limits = ((">=", self.start), ("<", self.end))
        return " AND ".join(
            [
                "TRUE",
                *(f"\"TimeGenerated\" {op} TIMESTAMP '{naive(at)}'" for op, at in limits if at),
            ]
        )


def naive(at: datetime) -> datetime:
    """Return the moment in UTC without its zone, as DuckDB's TIMESTAMP takes it."""
    return at.astimezone(UTC).replace(tzinfo=None)


def run(
    con: duckdb.DuckDBPyConnection,
    kql: str,
    span: Span,
    now: datetime,
    limits: Limits,
    repeats: Repeats,
) -> QueryAnswer:
    """Run the query on a connection of its own.

    Raises:
        BadQuery: the query is wrong, or cannot be answered rightly here.
        QueryTimeout: it took longer than it may.
    """
    began = perf_counter()
    statement = translate(kql, naive(now))
    with _interrupted_after(con, limits.wait_s), _refusals():
        for name in statement.tables:
            con.execute(_view(TABLES[name], statement.columns, span.condition(), repeats))
        con.execute(statement.sql, statement.values or None)
        described = con.description
        rows = con.fetchmany(limits.rows + 1)
    kinds = [kind for _, kind, *_ in described]
    return QueryAnswer(
        tuple(name for name, *_ in described),
        tuple(kql_type(kind) for kind in kinds),
        tuple(_cells(rows[: limits.rows], kinds)),
        perf_counter() - began,
        len(rows) > limits.rows,
    )


def _view(table: Table, needed: frozenset[str] | None, condition: str, repeats: Repeats) -> str:
    """Return the view that shows a query what it may see of the table.

    needed: the columns that matter, of whatever table; None for all of them.
    """
    names = [name for name in table.names if needed is None or name in needed]
    columns = ", ".join(f'"{name}"' for name in names or table.names)
    if table is HISTORY:
        sql = history_sql(names or table.names, condition)
        return f'CREATE OR REPLACE TEMP VIEW "{table.name}" AS {sql}'
    shown = f'SELECT {columns} FROM raw."{table.name}" WHERE {condition}'  # noqa: S608 - our own names
    if table is USAGE and repeats != "none":
        shown = f'{shown} AND NOT "_Superseded"'
    if table is USAGE and repeats == "moved":
        shown = f"""{shown} AND NOT "_Repeated" UNION ALL {shown} AND "_Repeated"
            WINDOW event AS (PARTITION BY "Source", "EventId")
            QUALIFY max("_Attempt") OVER event IS NULL OR 1 = row_number() OVER (
                event ORDER BY "_Attempt" DESC NULLS LAST, "TimeGenerated" DESC)"""
    return f'CREATE OR REPLACE TEMP VIEW "{table.name}" AS {shown}'


def _cells(rows: Sequence[Row], kinds: Sequence[object]) -> Iterator[Row]:
    converters = [converter(kind) for kind in kinds]
    if not any(converters):
        return iter(rows)
    return (
        tuple(to(value) if to else value for to, value in zip(converters, row, strict=True))
        for row in rows
    )


@contextmanager
def _interrupted_after(con: duckdb.DuckDBPyConnection, wait_s: float) -> Generator[None]:
    over = threading.Event()
    watch = threading.Thread(target=_interrupt_until, args=(con, over, wait_s), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _interrupt_until(con: duckdb.DuckDBPyConnection, over: threading.Event, wait_s: float) -> None:
    """Interrupt once and again: it does nothing between two statements."""
    if over.wait(wait_s):
        return
    con.interrupt()
    while not over.wait(_AGAIN_S):
        con.interrupt()


@contextmanager
def _refusals() -> Generator[None]:
    """Say what DuckDB refuses as the service would."""
    try:
        yield
    except duckdb.InterruptException:
        raise QueryTimeout("The query took too long. Narrow its time, or wait longer.") from None
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise _unresolved(str(error)) from None
    except duckdb.Error as error:
        raise unsupported(str(error)) from None


def _unresolved(message: str) -> BadQuery:
    named = re.search(
        r'[Cc]olumn "([^"]+)" (?:not found|referenced)|Table with name (\S+)', message
    )
    if named:
        missing = named[1] or named[2]
        return semantic(f"Failed to resolve table or column expression named '{missing}'")
    return unsupported(message.splitlines()[0])
