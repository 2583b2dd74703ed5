"""The stand-in's memory: takes telemetry in, answers KQL, keeps all of it on disk or in RAM."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from shared.clock import Clock
from shared.errors import Misconfigured
from standin.monitor.breeze import TrackAnswer, judge
from standin.monitor.owners import own
from standin.monitor.purge import Purge, purge, purge_before
from standin.monitor.query import Limits, QueryAnswer, Repeats, Span, naive, run
from standin.monitor.refusal import BadQuery
from standin.monitor.repeats import are_moved, supersede
from standin.monitor.rows import Batch, Identity
from standin.monitor.schema import OWNED, SQL_TYPES, STORED, USAGE, Table, create_sql
from standin.monitor.size import first_to_keep

SERVICE_LIMITS = Limits()
MEMORY_MB = 200
"""What a database with a file holds in memory; more is on disk, beside the file."""


class MonitorStore:
    """Azure Monitor on a laptop: what is tracked can be queried at once.

    Safe for any number of threads; one process at a time may have the file.
    """

    def __init__(self, path: Path | None, clock: Clock, limits: Limits = SERVICE_LIMITS) -> None:
        """Open the file, or begin a new one; None keeps all in memory.

        clock: judges how old telemetry is and dates its arrival.
        limits: of each query; the service's own unless given.
        Raises:
            Misconfigured: another process has the file, or it is none of ours.
        """
        self.clock = clock
        self._limits = limits
        self._root = _connect(path)
        if limits.threads:
            self._root.execute(f"SET threads = {limits.threads:d}")
        self._writer = self._root.cursor()
        self._writing = threading.Lock()
        for table in (*STORED.values(), OWNED):
            _prepare(self._writer, table)
        self._repeated: set[Identity] = _repeated(self._writer)
        self._has_moved = are_moved(self._writer)

    def track(self, envelopes: Sequence[object], sizes: Sequence[int] | None = None) -> TrackAnswer:
        """Take envelopes in; what the answer does not refuse is stored durably on return.

        sizes: bytes of each on the wire, where their limit is to be judged.
        """
        batch, answer = judge(envelopes, sizes or [0] * len(envelopes), self.clock.now())
        if batch.tables:
            with self._writing:
                self._write(batch)
        return answer

    def query(
        self,
        kql: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        now: datetime | None = None,
        wait_s: float | None = None,
    ) -> QueryAnswer:
        """Answer KQL over rows with start <= TimeGenerated < end.

        now: what now() and ago() mean; the clock's time unless given.
        wait_s: how long it may take; the service's 180 s unless given.
        Raises:
            BadQuery: the query is wrong, or the stand-in cannot answer it rightly.
            QueryTimeout: it took longer than it may.
        """
        limits = self._limits if wait_s is None else replace(self._limits, wait_s=wait_s)
        with self._root.cursor() as con:
            span, moment = Span(start, end), now or self.clock.now()
            return run(con, kql, span, moment, limits, self._repeats())

    def purge(self, asked: Purge) -> int:
        """Remove the rows that were named, at once and for good; return how many.

        Raises:
            BadQuery: there is no such column.
        """
        try:
            with self._writing, self._transaction():
                return purge(self._writer, asked)
        except duckdb.BinderException:
            names = ", ".join(one.column for one in asked.filters)
            raise BadQuery("SemanticError", f"{asked.table} has not all of: {names}") from None

    def purge_before(self, moment: datetime) -> int:
        """Remove what is older; return how many rows. What comes next fills their place."""
        with self._writing:
            with self._transaction():
                rows = purge_before(self._writer, naive(moment))
            if rows:
                self._writer.execute("CHECKPOINT")
            return rows

    def trim(self, most_bytes: int) -> int:
        """Remove the oldest rows where all take more than that; return how many rows."""
        with self._writing:
            self._writer.execute("CHECKPOINT")
            moment = first_to_keep(self._writer, most_bytes)
        return self.purge_before(moment.replace(tzinfo=UTC)) if moment else 0

    def close(self) -> None:
        """Free the file. The store cannot be used any more."""
        with self._writing:
            self._writer.close()
            self._root.close()

    def _write(self, batch: Batch) -> None:
        """Store all of the batch in one transaction, or nothing of it."""
        again = {row.identity for row in batch.usage if row.attempt is not None}
        # Before they can be seen: a query that hides repeats in vain loses time alone.
        self._repeated |= again
        with self._transaction():
            for name, rows in batch.tables.items():
                self._append(STORED[name], rows)
            self._append(USAGE, [(*row.cells, row.attempt, False, False) for row in batch.usage])
            repeated = {row.identity for row in batch.usage} & self._repeated
            supersede(self._writer, repeated)
            self._has_moved |= bool(repeated) and are_moved(self._writer)
            self._append(OWNED, batch.owned)
            self._own(batch)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """Make what is written inside happen together or, after an exception, not at all."""
        self._writer.begin()
        try:
            yield
            self._writer.commit()
        except BaseException:
            self._writer.rollback()
            raise

    def _repeats(self) -> Repeats:
        if self._has_moved:
            return "moved"
        return "in place" if self._repeated else "none"

    def _own(self, batch: Batch) -> None:
        """Give the events of spans in the batch the owner that was learnt last, in either order."""
        if spans := batch.spans():
            own(self._writer, spans, *batch.minutes())

    def _append(self, table: Table, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            columns = [name for name, _ in (*table.columns, *table.hidden)]
            with self._writer.appender(f"raw.{table.name}", columns=columns) as appender:
                appender.append_rows(rows)


def _connect(path: Path | None) -> duckdb.DuckDBPyConnection:
    try:
        con = duckdb.connect(str(path) if path else ":memory:")
    except duckdb.Error as error:
        raise Misconfigured(
            f"{path} cannot be opened: {str(error).splitlines()[0]} Stop the other process that "
            "has it, or move the file away."
        ) from None
    # A query is a stranger's text: it reads our tables, and no file or variable of this machine.
    for setting in (
        "TimeZone = 'UTC'",
        "python_enable_replacements = false",
        "enable_external_access = false",
        *((f"memory_limit = '{MEMORY_MB}MB'",) if path else ()),
    ):
        con.execute(f"SET {setting}")
    con.execute("CREATE SCHEMA IF NOT EXISTS raw")
    return con


def _prepare(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create the table; give one of an earlier version the columns that it lacks."""
    con.execute(create_sql(table))
    # Many times sooner answered than information_schema, which looks through every table.
    described = con.execute(f'SELECT * FROM raw."{table.name}" LIMIT 0').description  # noqa: S608 - our own names
    there = {name for name, *_ in described}
    for name, kind in (*table.columns, *table.hidden):
        if name not in there:
            default = {"string": " DEFAULT ''", "bool": " DEFAULT FALSE"}.get(kind, "")
            con.execute(
                f'ALTER TABLE raw."{table.name}" ADD COLUMN "{name}" {SQL_TYPES[kind]}{default}'
            )


def _repeated(con: duckdb.DuckDBPyConnection) -> set[Identity]:
    found = con.execute(
        'SELECT DISTINCT "Source", "EventId" FROM raw."UsageEvents" WHERE "_Attempt" IS NOT NULL'
    )
    return {(source, event_id) for source, event_id in found.fetchall()}
