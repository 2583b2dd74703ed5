"""The rules that ship: their queries, how soon they fire, and when not."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from shared.alerting.reading import Unseen
from shared.alerting.record import SeriesAlert
from shared.alerting.rule import Condition, Rule
from shared.alerting.state import step
from tests.rule_table import RULES, START, Event, Events, translated

FOLDER = Path(__file__).parents[2] / "config" / "rules"
CONDITIONS = [
    pytest.param(condition, id=f"{name}-{condition.name}")
    for name, rule in RULES.items()
    for condition in rule.conditions
]


def test_the_nine_rules_of_the_plan_ship_and_two_for_costs() -> None:
    assert {rule.name: rule.severity for rule in RULES.values()} == {
        "CostAnomaly": "warning",
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


COMPARES_DAYS = {"CostAnomaly"}
"""A longer query: no fast condition says it, and its median is of days without a row, too."""


def test_shipped_rules_are_short() -> None:
    files = [file for file in FOLDER.glob("*.toml") if file.stem not in COMPARES_DAYS]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert sum(len(text.splitlines()) for text in texts) <= 19 * len(texts)
    assert sum(len(text.split()) for text in texts) <= 120 * len(texts)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_query_is_in_the_portable_part_of_kql(condition: Condition) -> None:
    assert "UsageEvents" in translated(condition)


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
    """Return when the rule fires by its fast condition alone, or None."""
    fast = rule.conditions[1]
    table = Events(events)
    series: Mapping[str, SeriesAlert] = {}
    fired = None
    for at_s in ticks_s:
        at = START + timedelta(seconds=at_s)
        stepped = step(rule, series, at, {"main": Unseen("-"), "fast": table.read(fast, at)})
        series = stepped.series
        if fired is None and any(t.state == "firing" for t in stepped.transitions):
            fired = at_s
    table.close()
    return fired


def test_every_fast_condition_is_tried_with_failures() -> None:
    assert BROKEN.keys() == {name for name, rule in RULES.items() if len(rule.conditions) > 1}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("from_s", [130, 175], ids=["soon-after-a-tick", "just-before-a-tick"])
def test_a_hard_failure_fires_within_90_s_of_its_first_event(name: str, from_s: int) -> None:
    fired = fired_at_s(RULES[name], [*traffic(name, from_s, 999, 360)], range(120, 361, 15))
    assert fired is not None
    assert fired - from_s <= 90


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("from_s", [130, 160])
def test_a_breach_shorter_than_a_minute_does_not_fire(name: str, from_s: int) -> None:
    breach = [*traffic(name, from_s, from_s + 59, 360)]
    assert fired_at_s(RULES[name], breach, range(120, 361, 15)) is None


@pytest.mark.parametrize("name", BROKEN)
def test_one_bad_sample_a_minute_does_not_fire(name: str) -> None:
    sparse = [
        (at_s, kind, dict(data) | ({"Count": 1} if "Count" in data else {}))
        for at_s in range(35, 360, 60)
        for kind, data in [*HEALTHY[name], *BROKEN[name][-1:]]
        if "Value" not in data
    ]
    assert fired_at_s(RULES[name], sparse, range(120, 361, 15)) is None
