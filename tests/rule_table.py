"""Events in a table of their own, and what the queries of the shipped rules say of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import duckdb_kql

from shared.adapters.config.config_folder import read_rules
from shared.alerting.reading import Reading, read_samples
from shared.alerting.rule import Look, bind
from shared.events.columns import COLUMNS

RULES = {rule.name: rule for rule in read_rules(Path(__file__).parents[1] / "config")}
START = datetime(2026, 1, 5, tzinfo=UTC)
SQL_TYPES = {"string": "VARCHAR", "long": "BIGINT", "real": "DOUBLE"}
SCHEMA = {"UsageEvents": ["TimeGenerated", "Name", *(column.name for column in COLUMNS)]}
Event = tuple[float, str, Mapping[str, object]]
"""Seconds after START, name, and what its columns hold."""


def empty_table() -> duckdb.DuckDBPyConnection:
    """Return UsageEvents in DuckDB, as the stand-in has it."""
    database = duckdb.connect()
    columns = ", ".join(f'"{c.name}" {SQL_TYPES[c.type]}' for c in COLUMNS)
    database.execute(f"CREATE TABLE Stored (TimeGenerated TIMESTAMP, Name VARCHAR, {columns})")
    database.execute("CREATE VIEW UsageEvents AS FROM Stored")
    return database


@cache
def translated(look: Look) -> str:
    """Return the look's query over the window from START in DuckDB's SQL."""
    bound = bind(look.query, START, START + look.window)
    return str(duckdb_kql.to_sql(bound, schema=SCHEMA))


class Events:
    """Events in a table; no string is null."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._db = empty_table()
        rows = [self._row(*event) for event in events]
        if rows:
            self._db.execute(
                "INSERT INTO Stored BY NAME SELECT unnest(?, recursive := true)", [rows]
            )

    @staticmethod
    def _row(at_s: float, name: str, data: Mapping[str, object]) -> dict[str, object]:
        known = {"Count": 1, "Source": "test", **data}
        empty = {c.name: "" if c.type == "string" else None for c in COLUMNS}
        assert known.keys() <= empty.keys()
        at = (START + timedelta(seconds=at_s)).replace(tzinfo=None)
        return {"TimeGenerated": at, "Name": name} | empty | known

    def read(self, look: Look, at: datetime) -> Reading:
        """Ask what the look asks at that planned time, with no offset.

        The events are moved under the query, because translating it anew takes far longer.
        """
        ahead_s = int((at - look.window - START).total_seconds())
        moved = f"TimeGenerated - INTERVAL ({ahead_s}) SECOND AS TimeGenerated"
        self._db.execute(
            f"CREATE OR REPLACE VIEW UsageEvents AS SELECT * REPLACE ({moved}) FROM Stored"  # noqa: S608 - an integer of ours
        )
        answer = self._db.sql(translated(look))
        return read_samples(answer.columns, answer.fetchall())

    def close(self) -> None:
        self._db.close()


def says(events: Sequence[Event], look: Look) -> list[tuple[object, object]]:
    """Return value and samples of every series, over the look's window from START."""
    table = Events(events)
    reading = table.read(look, START + look.window)
    table.close()
    assert isinstance(reading, Mapping)
    return [(sample.value, sample.samples) for sample in reading.values()]


def llm(at_s: float, count: int = 1, **data: object) -> Event:
    return at_s, "llm.call", {"Count": count, "Status": "success", "DurationS": 3.0} | data
