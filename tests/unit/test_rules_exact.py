"""What the rules that ship say of known events, to the last digit."""

from collections.abc import Sequence

import pytest

from tests.rule_table import RULES, Event, llm, says

ADJUSTED = "cost.adjustment"


def moved(calls: int, old: str, new: str) -> dict[str, object]:
    return {"Count": 0, "AdjustedCount": calls, "OldCostStatus": old, "CostStatus": new}


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
        "HighHourlyCosts",
        [llm(1, CostUsd=60.5), (1, ADJUSTED, {"Count": 0, "CostUsd": 45.0})],
        [(105.5, None)],
        id="a-correction-of-the-last-hour-counts",
    ),
    pytest.param(
        "CostPerMissionTooHigh",
        [
            llm(1, CostUsd=400.0),
            (1, ADJUSTED, {"Count": 0, "CostUsd": -80.0}),
            (2, "mission.completed", {"Count": 8}),
        ],
        [(40.0, 8)],
        id="corrected-dollars-a-mission",
    ),
    pytest.param(
        "CostUnknown",
        [
            llm(1, 16, CostStatus="known"),
            llm(2, 4, CostStatus="unknown"),
            (2, ADJUSTED, moved(3, "unknown", "known")),
            (2, ADJUSTED, moved(1, "known", "unknown")),
        ],
        [(10.0, 20)],
        id="calls-that-were-priced-since-are-known",
    ),
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
    assert says(events, RULES[name].conditions[0]) == expected
