"""What surrounds an alert: values against the limit in the rule's unit, and what the log knows."""

from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from shared.adapters.config.config_folder import read_rules
from shared.alerting.rule import Rule
from shared.errors import NotFound, RetryLater
from shared.ports import Table
from shared.usecases.explaining.context import Context
from shared.usecases.explaining.find_alert import Subjects
from shared.usecases.explaining.unit import unit_of
from standin.monitor.store import MonitorStore
from tests.evaluating import START, World, rule
from tests.fakes import FakeClock
from tests.monitor import event
from tests.triggers.test_index import ROOT

MINUTE = timedelta(minutes=1)
ERRORS = """UsageEvents
| where TimeGenerated >= {start} and TimeGenerated < {end}
| where Name == "error"
| summarize value = sum(Count)"""
BY_TEAM = """UsageEvents
| where TimeGenerated >= {start} and TimeGenerated < {end}
| where Name == "error"
| summarize Errors = sum(Count) by TeamId
| top 10 by Errors desc"""
SHIPPED = {one.key: one for one in read_rules(ROOT / "config")}


@cache
def written() -> MonitorStore:
    """Return a log of errors of two teams, half a minute apart."""
    store = MonitorStore(None, FakeClock(START + 10 * MINUTE))
    rows = [
        event(
            {
                "id": f"{n}",
                "source": "s",
                "team": "Zürich" if n % 3 else "red",
                "error_type": "T",
            },
            {"count": n},
            START - MINUTE + n * timedelta(seconds=30),
            "error",
        )
        for n in range(1, 12)
    ]
    assert store.track(rows).status == 200
    return store


class Log:
    """Answers from what is written, or not at all."""

    def __init__(self) -> None:
        self.fails = False
        self.store = written()

    def query(self, kql: str, start: Any, end: Any) -> Table:
        if self.fails:
            raise RetryLater("Log Analytics did not answer.")
        answer = self.store.query(kql, start, end)
        return Table(answer.columns, answer.rows)


def errors(**fields: str) -> Rule:
    return rule(query=ERRORS, contributors=BY_TEAM, summary="{value:.0f} % wrong", **fields)


def fired() -> World:
    world = World(errors())
    world.ticks(4, Errors=12, UsageEvents=12)
    return world


def show(world: World, log: Log, id: str = "Errors") -> dict[str, Any]:
    context = Context(Subjects(world.alerts, lambda: world.rules), world.alerts, log)
    return context.show(id, world.now)


def test_the_chart_is_what_the_rule_would_have_read() -> None:
    world, log = fired(), Log()
    shown = show(world, log)
    chart = shown["chart"]["value"]
    assert (chart["limit"], chart["unit"]) == (10, {"before": "", "after": "%"})
    values = {one["at"]: one["value"] for one in chart["points"]}
    condition = world.rules[0].conditions[0]
    (last,) = log.query(
        condition.query.replace(
            "{start}", kql(world.now - condition.offset - condition.window)
        ).replace("{end}", kql(world.now - condition.offset)),
        None,
        None,
    ).rows
    assert values[world.now.isoformat()] == last[0] == 45
    assert shown["fired_at"] in values or shown["fired_at"] > min(values)


def kql(at: Any) -> str:
    return f"datetime({at.isoformat()})"


def test_contributors_and_events_are_of_its_window() -> None:
    shown = show(fired(), Log())
    contributors = shown["contributors"]["value"]
    assert contributors["columns"] == ["TeamId", "Errors"]
    assert {row[0] for row in contributors["rows"]} == {"Zürich", "red"}
    events = shown["events"]["value"]
    assert len(events) == 5
    assert {one["error_type"] for one in events} == {"T"}
    assert events == sorted(events, key=lambda one: one["at"], reverse=True)


def test_a_log_without_an_answer_leaves_the_rest() -> None:
    log = Log()
    log.fails = True
    shown = show(fired(), log)
    for part in ("chart", "contributors", "events"):
        assert shown[part] == {"value": None, "error": "Log Analytics did not answer."}
    assert shown["fired_at"]


def test_earlier_episodes_are_listed_with_their_ends() -> None:
    world = fired()
    world.ticks(6, Errors=0, UsageEvents=0)
    world.ticks(4, Errors=12, UsageEvents=12)
    (before,) = show(world, Log())["before"]
    assert before["ended_at"] > before["fired_at"]


def test_an_unknown_alert_is_not_found() -> None:
    with pytest.raises(NotFound):
        show(fired(), Log(), "Other")


@pytest.mark.parametrize(
    ("key", "condition", "value", "written"),
    [
        ("LLMAPIFailureRate/critical", "main", 52.0, "52 %"),
        ("LLMAPIFailureRate/critical", "fast", 52.345, "52.3 %"),
        ("HighHourlyCosts/critical", "main", 115.5, "$115.50"),
        ("HighHourlyCosts/critical", "fast", 150.0, "$150 / h"),
        ("HighTaskQueueBacklog/warning", "main", 1234.0, "1,234"),
    ],
)
def test_values_are_written_in_the_unit_of_the_rule(
    key: str, condition: str, value: float, written: str
) -> None:
    found = next(one for one in SHIPPED[key].conditions if one.name == condition)
    assert unit_of(found).write(value) == written
