"""The nine rules that ship: what they say of known events, how soon they fire, and when not."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import duckdb_kql
import pytest

from shared.adapters.config_folder import read_rules
from shared.alerting.reading import Reading, read_samples
from shared.alerting.record import SeriesAlert
from shared.alerting.rule import Look, Rule, bind
from shared.alerting.state import step
from shared.events.columns import COLUMNS

ROOT = Path(__file__).parents[2]
RULES = {rule.name: rule for rule in read_rules(ROOT / "config")}
LOOKS = [
    pytest.param(look, id=f"{name}-{look.name}")
    for name, rule in RULES.items()
    for look in rule.looks
]
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


def test_the_nine_rules_of_the_plan_ship_with_its_severities_and_one_for_unknown_costs() -> None:
    assert {rule.name: rule.severity for rule in RULES.values()} == {
        "CostUnknown": "warning",
        "HighErrorRate": "critical",
        "HighAPILatency": "warning",
        "LowDatabaseConnections": "warning",
        "LowAgentSuccessRate": "critical",
        "HighTaskQueueBacklog": "warning",
        "HighHourlyCosts": "critical",
        "CostPerMissionTooHigh": "warning",
        "LLMAPIFailureRate": "critical",
        "LLMAPIHighLatency": "warning",
    }


@pytest.mark.parametrize("look", LOOKS)
def test_every_query_is_in_the_portable_part_of_kql(look: Look) -> None:
    assert "UsageEvents" in translated(look)


EXACT = [
    pytest.param(
        "HighErrorRate",
        [(0, "error", {"Count": 3000}), (300, "error", {"Count": 9}), (9, "revenue", {"Count": 9})],
        [(10.0, None)],
        id="errors-a-second",
    ),
    pytest.param("HighErrorRate", [], [(0.0, None)], id="no-errors"),
    pytest.param(
        "HighAPILatency",
        [
            (1, "http.request", {"Count": 95, "DurationS": 2.0}),
            (2, "http.request", {"Count": 5, "DurationS": 2.001}),
        ],
        [(5.0, 100)],
        id="slow-requests",
    ),
    pytest.param("HighAPILatency", [], [], id="no-requests"),
    pytest.param(
        "LowDatabaseConnections",
        [
            (1, "db.pool", {"Source": "a", "State": "idle", "Value": 9.0}),
            (2, "db.pool", {"Source": "a", "State": "idle", "Value": 1.0}),
            (3, "db.pool", {"Source": "a", "State": "active", "Value": 20.0}),
        ],
        [(1.0, None)],
        id="idle-connections",
    ),
    pytest.param(
        "LowAgentSuccessRate",
        [
            (1, "agent.operation", {"Count": 75, "Status": "success"}),
            (2, "agent.operation", {"Count": 25, "Status": "error"}),
        ],
        [(75.0, 100)],
        id="exactly-75-per-cent",
    ),
    pytest.param(
        "HighTaskQueueBacklog",
        [
            (1, "task.queue", {"Source": "a", "Priority": "high", "Value": 500.0}),
            (2, "task.queue", {"Source": "a", "Priority": "high", "Value": 40.0}),
            (2, "task.queue", {"Source": "a", "Priority": "low", "Value": 30.0}),
            (1, "task.queue", {"Source": "b", "Priority": "low", "Value": 30.0}),
        ],
        [(100.0, 3)],
        id="queue-is-the-sum-of-latest-samples",
    ),
    pytest.param("HighTaskQueueBacklog", [], [], id="a-stale-queue-is-no-empty-queue"),
    pytest.param(
        "HighHourlyCosts",
        [
            llm(1, CostUsd=60.5),
            llm(3599, 7, CostUsd=40.0),
            llm(9, Model="new"),
            llm(3600, CostUsd=9.0),
        ],
        [(100.5, None)],
        id="dollars-are-totals-and-unknown-ones-are-none",
    ),
    pytest.param(
        "CostPerMissionTooHigh",
        [llm(1, CostUsd=400.0), (2, "mission.completed", {"Count": 8})],
        [(50.0, 8)],
        id="dollars-a-mission",
    ),
    pytest.param("CostPerMissionTooHigh", [llm(1, CostUsd=400.0)], [], id="no-mission-ended"),
    pytest.param(
        "LLMAPIFailureRate",
        [llm(1, 90), llm(2, 10, Status="error")],
        [(10.0, 100)],
        id="failed-calls",
    ),
    pytest.param(
        "LLMAPIHighLatency",
        [llm(1, 18, DurationS=30.0), llm(2, 2, DurationS=30.5), llm(2, 80, DurationS=None)],
        [(10.0, 20)],
        id="calls-of-unknown-duration-do-not-count",
    ),
    pytest.param(
        "CostUnknown",
        [llm(1, 19, CostStatus="known"), llm(2, CostStatus="unknown")],
        [(5.0, 20)],
        id="one-call-in-twenty-is-not-over-5-per-cent",
    ),
]


@pytest.mark.parametrize(("name", "events", "expected"), EXACT)
def test_a_rule_says_exactly_what_the_events_say(
    name: str, events: Sequence[Event], expected: list[tuple[object, object]]
) -> None:
    assert says(events, RULES[name].looks[0]) == expected


HEALTHY: Mapping[str, Sequence[tuple[str, Mapping[str, object]]]] = {
    "HighErrorRate": [("error", {"Count": 3})],
    "HighAPILatency": [("http.request", {"Count": 30, "DurationS": 0.2})],
    "LowDatabaseConnections": [("db.pool", {"State": "idle", "Value": 8.0})],
    "LowAgentSuccessRate": [
        ("agent.operation", {"Count": 18, "Status": "success"}),
        ("agent.operation", {"Count": 2, "Status": "error"}),
    ],
    "HighTaskQueueBacklog": [("task.queue", {"Priority": "low", "Value": 40.0})],
    "HighHourlyCosts": [("llm.call", {"Count": 25, "CostUsd": 0.125})],
    "CostPerMissionTooHigh": [("llm.call", {"CostUsd": 0.125}), ("mission.completed", {})],
    "LLMAPIFailureRate": [("llm.call", {"Count": 24}), ("llm.call", {"Status": "error"})],
    "LLMAPIHighLatency": [("llm.call", {"Count": 25, "DurationS": 3.0})],
}
BROKEN: Mapping[str, Sequence[tuple[str, Mapping[str, object]]]] = {
    "HighErrorRate": [("error", {"Count": 225})],
    "HighAPILatency": [("http.request", {"Count": 30, "DurationS": 4.0})],
    "LowDatabaseConnections": [("db.pool", {"State": "idle", "Value": 1.0})],
    "LowAgentSuccessRate": [
        ("agent.operation", {"Count": 10, "Status": "success"}),
        ("agent.operation", {"Count": 10, "Status": "error"}),
    ],
    "HighTaskQueueBacklog": [("task.queue", {"Priority": "low", "Value": 150.0})],
    "HighHourlyCosts": [("llm.call", {"Count": 25, "CostUsd": 0.75})],
    "CostPerMissionTooHigh": [("llm.call", {"CostUsd": 120.0}), ("mission.completed", {})],
    "LLMAPIFailureRate": [
        ("llm.call", {"Count": 20}),
        ("llm.call", {"Count": 5, "Status": "error"}),
    ],
    "LLMAPIHighLatency": [("llm.call", {"Count": 25, "DurationS": 45.0})],
}
"""Every 15 seconds, by rule; what breaks is as bad as the breaches that others were measured on."""


def traffic(name: str, broken_from_s: int, broken_to_s: int, until_s: int) -> Iterator[Event]:
    """Yield events every 15 s from the first 10 s on."""
    for at_s in range(10, until_s, 15):
        broken = broken_from_s <= at_s < broken_to_s
        for kind, data in (BROKEN if broken else HEALTHY)[name]:
            yield at_s, kind, data


def fired_at_s(rule: Rule, events: Sequence[Event], ticks_s: range) -> int | None:
    """Return when the rule fires by its fast look, or None. The main one is taken as silent."""
    fast = rule.looks[1]
    table = Events(events)
    series: Mapping[str, SeriesAlert] = {}
    fired = None
    for at_s in ticks_s:
        at = START + timedelta(seconds=at_s)
        stepped = step(rule, series, at, {"main": {}, "fast": table.read(fast, at)})
        series = stepped.series
        if fired is None and any(t.state == "firing" for t in stepped.transitions):
            fired = at_s
    table.close()
    return fired


def test_every_rule_with_a_fast_look_is_tried_with_hard_failures() -> None:
    assert BROKEN.keys() == {name for name, rule in RULES.items() if len(rule.looks) > 1}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("from_s", [130, 175], ids=["soon-after-a-tick", "just-before-a-tick"])
def test_a_hard_failure_fires_within_two_minutes_of_its_first_event(name: str, from_s: int) -> None:
    fired = fired_at_s(RULES[name], [*traffic(name, from_s, 999, 360)], range(120, 361, 60))
    assert fired is not None
    assert fired - from_s <= 120


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("from_s", [130, 160])
def test_a_breach_shorter_than_a_minute_does_not_fire(name: str, from_s: int) -> None:
    breach = [*traffic(name, from_s, from_s + 59, 360)]
    assert fired_at_s(RULES[name], breach, range(120, 361, 60)) is None


@pytest.mark.parametrize("name", BROKEN)
def test_one_bad_sample_a_minute_does_not_fire(name: str) -> None:
    sparse = [
        (at_s, kind, dict(data) | ({"Count": 1} if "Count" in data else {}))
        for at_s in range(35, 360, 60)
        for kind, data in [*HEALTHY[name], *BROKEN[name][-1:]]
        if "Value" not in data
    ]
    assert fired_at_s(RULES[name], sparse, range(120, 361, 60)) is None
