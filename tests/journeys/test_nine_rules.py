from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop, minutes

BAD: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "HighErrorRate": [("error", {"count": 300})],
    "HighAPILatency": [("http.request", {"count": 50, "duration_s": 9.0})],
    "LowDatabaseConnections": [("db.pool", {"value": 0})],
    "LowAgentSuccessRate": [("agent.operation", {"count": 20, "status": "error"})],
    "HighTaskQueueBacklog": [("task.queue", {"value": 400})],
    "HighHourlyCosts": [("llm.call", {"usage": {"input_tokens": 1_000_000}})],
    "CostPerMissionTooHigh": [
        ("llm.call", {"usage": {"input_tokens": 5_000_000}}),
        ("mission.completed", {}),
    ],
    "LLMAPIFailureRate": [("llm.call", {"count": 30, "status": "error", "usage": None})],
    "LLMAPIHighLatency": [("llm.call", {"count": 30, "duration_s": 90.0})],
}
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("http.request", {"count": 50}),
    ("db.pool", {"value": 9}),
    ("agent.operation", {"count": 20}),
    ("task.queue", {"value": 4}),
    ("llm.call", {"count": 30, "usage": {"input_tokens": 100, "output_tokens": 10}}),
    ("mission.completed", {"count": 4}),
]
EVERY = timedelta(seconds=15)


def post_minute(box: Laptop, until: datetime, *kinds: tuple[str, dict[str, Any]]) -> None:
    """Post what happened every 15 seconds of the minute before."""
    box.clock.advance(seconds=(until - box.clock.now()).total_seconds())
    box.post(
        [
            {**event(kind, **data), "id": f"{kind}-{at.isoformat()}-{n}", "time": at.isoformat()}
            for at in (until - 4 * EVERY, until - 3 * EVERY, until - 2 * EVERY, until - EVERY)
            for n, (kind, data) in enumerate(kinds)
        ]
    )


def still_wrong(box: Laptop) -> set[str]:
    rules = box.get("/api/alerts").json()["rules"]
    return {rule["rule"].split("/")[0] for rule in rules if rule["state"] != "inactive"}


def test_the_nine_rules_fire_within_two_minutes_and_resolve_when_the_trouble_ends(
    tmp_path: Path,
) -> None:
    with laptop(tmp_path, FakeClock(START)) as box:
        for at in minutes(START, 2):
            post_minute(box, at, *GOOD)
            box.tick(at)
        assert still_wrong(box) == set()

        began = box.clock.now()
        for at in minutes(began, 3):
            post_minute(box, at, *(kind for kinds in BAD.values() for kind in kinds))
            box.tick(at)
        assert still_wrong(box) == set(BAD)
        assert max(i.opened_at for i in box.incidents()) - began <= timedelta(minutes=2)
        assert {i.dedup_key.split("/")[2] for i in box.incidents()} == set(BAD)

        for at in minutes(box.clock.now(), 17):  # windows of 10 minutes, kept firing for 5
            post_minute(box, at, *GOOD)
            box.tick(at)
        assert still_wrong(box) == {"HighHourlyCosts"}  # over $100 in the last hour still

        box.tick(box.clock.now() + timedelta(minutes=61))
        assert still_wrong(box) == {"HighHourlyCosts"}  # nothing came in: nobody knows
        for at in minutes(box.clock.now(), 7):  # the logs arrive again; kept firing for 5 minutes
            box.tick(at)
        assert still_wrong(box) == set()
        assert all(incident.resolved_at for incident in box.incidents())
        assert len(box.incidents()) == len(BAD)
