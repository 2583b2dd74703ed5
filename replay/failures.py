"""The nine signals of the shipped rules, each well and in a hard failure, as series of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue

from replay.series import Series

SECOND, ENDED, SAMPLED = (timedelta(seconds=n) for n in (1, 5, 15))
"""From one event to the next: of work, of missions that end, of gauges that are read."""
HEALTHY_FOR = timedelta(minutes=3)
"""Before the failure, at least."""
REPORTED = {"provider": "anthropic", "model": "claude-sonnet-4-5", "status": "success"}
"""Calls whose cost is what the sender says it is, where its provider is trusted."""
TRUSTING = 'trusted_providers = ["anthropic"]'


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of event of a signal. values: of `field`, while all is well and in the failure."""

    type: str
    data: dict[str, JsonValue]
    field: str
    well: float
    failed: float
    every: timedelta = SECOND


@dataclass(frozen=True, slots=True)
class Failure:
    """A signal that fails from one moment to the next.

    rule: the name of the rule that pages for it. what: for a person. elsewhere: how long Prometheus
    and Alertmanager took to page it by the original thresholds and windows; "" where not measured.
    """

    rule: str
    what: str
    elsewhere: str
    parts: tuple[Part, ...]

    def series(self, onset: timedelta, lasts: timedelta, after: timedelta) -> Sequence[Series]:
        """Return the events: well up to the onset, failed for `lasts`, then well again.

        onset: from the start on. Samples fall on whole multiples of their step from the onset.
        """
        return [_series(part, onset, lasts, after) for part in self.parts]


def _series(part: Part, onset: timedelta, lasts: timedelta, after: timedelta) -> Series:
    steps = onset // part.every
    spans = (
        (part.well, steps),
        (part.failed, -(-lasts // part.every)),
        (part.well, after // part.every),
    )
    stated = {
        "type": part.type,
        "data": part.data,
        "field": part.field,
        "every": part.every,
        "from": onset - steps * part.every,
        "values": " ".join(f"{value:g}x{count - 1}" for value, count in spans if count),
    }
    return Series.model_validate(stated)


def _llm(**data: JsonValue) -> dict[str, JsonValue]:
    return {"provider": "openai", "model": "gpt-4o-mini", "status": "success", **data}


FAILURES = (
    Failure(
        "LowDatabaseConnections",
        "idle connections 8 → 1",
        "180",
        (Part("db.pool", {"state": "idle"}, "value", 8, 1, SAMPLED),),
    ),
    Failure(
        "HighAPILatency",
        "every request takes 4 s instead of 0.2 s",
        "360",
        (
            Part(
                "http.request",
                {"method": "GET", "path": "/api/tasks", "status": 200, "count": 5},
                *("duration_s", 0.2, 4),
            ),
        ),
    ),
    Failure(
        "HighTaskQueueBacklog",
        "waiting tasks 40 → 150",
        "390",
        (Part("task.queue", {"priority": "high"}, "value", 40, 150, SAMPLED),),
    ),
    Failure(
        "LLMAPIHighLatency",
        "every model call takes 45 s instead of 3 s",
        "390",
        (Part("llm.call", _llm(count=5), "duration_s", 3, 45),),
    ),
    Failure(
        "LLMAPIFailureRate",
        "failing model calls 2 % → 52 %",
        "390",
        (
            Part("llm.call", _llm(), "count", 49, 24),
            Part("llm.call", _llm(status="error"), "count", 1, 26),
        ),
    ),
    Failure(
        "HighErrorRate",
        "errors 0 → 15 a second",
        "540",
        (Part("error", {"component": "planner", "error_type": "Timeout"}, "count", 0, 15),),
    ),
    Failure(
        "LowAgentSuccessRate",
        "successful operations 90 % → 50 %",
        "870",
        (
            Part(
                "agent.operation",
                {"agent_type": "worker", "operation": "plan", "status": "success", "duration_s": 9},
                *("count", 9, 5),
            ),
            Part(
                "agent.operation",
                {"agent_type": "worker", "operation": "plan", "status": "error", "duration_s": 9},
                *("count", 1, 5),
            ),
        ),
    ),
    Failure(
        "HighHourlyCosts",
        "spend $30 → $180 an hour",
        "2430",
        (Part("llm.call", dict(REPORTED), "cost_usd", 30 / 3600, 180 / 3600),),
    ),
    Failure(
        "CostPerMissionTooHigh",
        "cost of a mission $20 → $200",
        "",
        (
            Part("llm.call", dict(REPORTED), "cost_usd", 20, 200, ENDED),
            Part("mission.completed", {"outcome": "success"}, "count", 1, 1, ENDED),
        ),
    ),
)
"""Each as hard as the breach that was measured elsewhere."""


def apart(failures: Sequence[Failure]) -> list[list[Failure]]:
    """Return them in lots whose kinds of event differ, so that those of a lot can be tried at once
    and none changes what another's rule sees."""
    lots: list[list[Failure]] = []
    for failure in failures:
        lot = next((lot for lot in lots if not _kinds([failure]) & _kinds(lot)), None)
        if lot is None:
            lots.append([failure])
        else:
            lot.append(failure)
    return lots


def _kinds(failures: Sequence[Failure]) -> set[str]:
    return {part.type for failure in failures for part in failure.parts}
