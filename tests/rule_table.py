"""Events in a table of their own, and what the queries of the shipped rules say of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql
from pydantic import TypeAdapter

from shared.adapters.config.config_folder import read_rules
from shared.alerting.count_fast import CountFast, Priced, clock
from shared.alerting.fast import FastCondition
from shared.alerting.judge_fast import by_condition, judge, reach_of
from shared.alerting.reading import Reading, read_samples
from shared.alerting.rule import Condition, bind
from shared.alerting.tallies import merge_all
from shared.events.columns import COLUMNS
from shared.events.types import AgentEvent
from shared.pricing.cost import Cost
from tests.factories import event

CONFIG = Path(__file__).parents[1] / "config"
RULES = {rule.name: rule for rule in read_rules(CONFIG)}
START = datetime(2026, 1, 5, tzinfo=UTC)
KEYS = {column.name: column.key for column in COLUMNS}
EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
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
def translated(condition: Condition) -> str:
    """Return the condition's query over the window from START in DuckDB's SQL."""
    bound = bind(condition.query, START, START + condition.window)
    return str(duckdb_kql.to_sql(bound, schema=SCHEMA))


class Events:
    """Events in a table; no string is null."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._db = empty_table()
        self._events = events
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

    def read(self, condition: Condition, at: datetime) -> Reading:
        """Run the query of the condition at that planned time, with no offset; of a fast condition,
        judge what arrived by then, two seconds after it happened.

        The events are moved under the query, because translating it anew takes far longer.
        """
        if condition.tallied:
            return judged(condition.tallied, self._events, at)
        ahead_s = int((at - condition.window - START).total_seconds())
        moved = f"TimeGenerated - INTERVAL ({ahead_s}) SECOND AS TimeGenerated"
        self._db.execute(
            f"CREATE OR REPLACE VIEW UsageEvents AS SELECT * REPLACE ({moved}) FROM Stored"  # noqa: S608 - an integer of ours
        )
        answer = self._db.sql(translated(condition))
        return read_samples(answer.columns, answer.fetchall())

    def close(self) -> None:
        self._db.close()


def judged(condition: FastCondition, events: Sequence[Event], at: datetime) -> Reading:
    """Judge what was tallied by that moment."""
    count = CountFast([condition])
    arrived = [
        count.count([as_sent(*event)], received)
        for event in events
        if (received := START + timedelta(seconds=event[0] + 2)) <= at
    ]
    tallies = merge_all([*arrived, clock(at)])
    series = by_condition(tallies).get(condition.digest, {})
    return judge(condition, series, reach_of(tallies, at), at)


def as_sent(at_s: float, name: str, columns: Mapping[str, object]) -> Priced:
    """Return the event that has these columns."""
    sent: dict[str, Any] = {KEYS[column]: value for column, value in columns.items()}
    usd = sent.pop("cost_usd", None)
    raw = event(name, **sent)
    raw |= {"source": sent.get("source", "test"), "time": START + timedelta(seconds=at_s)}
    raw["data"].pop("source", None)
    cost = None if usd is None else Cost(Decimal(str(usd)), "known", "")
    return EVENT.validate_python(raw), cost


def says(events: Sequence[Event], condition: Condition) -> list[tuple[object, object]]:
    """Return value and samples of every series, over the condition's window from START."""
    table = Events(events)
    reading = table.read(condition, START + condition.window)
    table.close()
    assert isinstance(reading, Mapping)
    return [(sample.value, sample.samples) for sample in reading.values()]


def llm(at_s: float, count: int = 1, **data: object) -> Event:
    return at_s, "llm.call", {"Count": count, "Status": "success", "DurationS": 3.0} | data
