"""Events as an agent would send them, one of each kind."""

from collections.abc import Mapping
from typing import Any

CALL: dict[str, Any] = {
    "provider": "openai",
    "model": "gpt-4",
    "status": "success",
    "duration_s": 1.5,
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}
DATA: dict[str, dict[str, Any]] = {
    "http.request": {"method": "GET", "path": "/api/teams", "status": 200, "duration_s": 0.2},
    "agent.operation": {
        "agent_type": "worker",
        "operation": "execute_task",
        "status": "success",
        "duration_s": 12.5,
    },
    "team.active": {"status": "active", "value": 3},
    "agent.active": {"agent_type": "worker", "value": 7},
    "task.operation": {"operation": "assign", "status": "success"},
    "task.queue": {"priority": "high", "value": 40},
    "llm.call": CALL,
    "db.query": {"operation": "select", "status": "success", "duration_s": 0.004},
    "db.pool": {"state": "idle", "value": 5},
    "cache.operation": {"operation": "get", "result": "hit"},
    "cache.ratio": {"cache_type": "prompt", "value": 0.83},
    "error": {"component": "planner", "error_type": "Timeout", "message": "took too long"},
    "error.recovery": {"recovery_type": "retry", "result": "success"},
    "mission.completed": {"outcome": "success", "duration_s": 1800, "team_size": 4},
    "revenue": {"pricing_tier": "pro", "amount_usd": "49.90"},
}


def event(type_: str = "llm.call", number: int = 0, **data: object) -> dict[str, Any]:
    """Return an event as JSON values; `data` replaces fields of its kind's example."""
    return {
        "specversion": "1.0",
        "id": f"{type_}-{number}",
        "source": "tests",
        "type": type_,
        "time": "2026-11-23T12:00:00Z",
        "data": {**DATA[type_], **data},
    }


def without(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the mapping without those names."""
    return {name: value for name, value in given.items() if name not in names}
