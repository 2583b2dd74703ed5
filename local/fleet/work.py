"""All that the simulated fleet does beside model calls: requests, tasks, databases, money."""

from collections.abc import Iterator
from datetime import timedelta

from local.fleet.scene import AGENT_TYPES, TEAMS, Scene

Draft = tuple[str, dict[str, object]]
"""An event's type and data."""

PATHS = (("GET", "/missions"), ("POST", "/missions"), ("GET", "/agents"), ("POST", "/tools/run"))
STATUSES, STATUS_SHARES = ("200", "201", "404", "429", "500"), (90, 7, 2, 0.5, 0.5)
OPERATIONS = ("plan", "search", "write_code", "review", "execute_task")
STEPS = ("created", "assigned", "completed")
QUERIES = ("select", "insert", "update")
COMPONENTS = ("scheduler", "tool_runner", "memory", "api")
PRIORITIES, PRIORITY_SHARES = ("high", "normal", "low"), (0.2, 0.5, 0.3)
TIERS = (("starter", 20), ("team", 120), ("enterprise", 900))
CONNECTIONS = 20
GAUGES_EVERY_S = 15
FAILING = 0.05
STORM, STORM_LASTS = 250, timedelta(seconds=3)
BACKED_OFF = 13
"""Errors a second in an outage: over 10 a second in each minute that it touches, but never so many
that the average of five minutes is too."""


def work(scene: Scene) -> Iterator[Draft]:
    """Yield what happens in this second."""
    yield from _requests(scene)
    yield from _tasks(scene)
    yield from _storage(scene)
    yield from _errors(scene)
    yield from _missions(scene)
    if scene.is_time_for(GAUGES_EVERY_S):
        yield from _gauges(scene)


def _requests(scene: Scene) -> Iterator[Draft]:
    for _ in scene.some(2):
        method, path = scene.rng.choice(PATHS)
        yield (
            "http.request",
            {
                "method": method,
                "path": path,
                "status": scene.rng.choices(STATUSES, STATUS_SHARES)[0],
                "duration_s": scene.seconds(0.12, 1.8),
                "count": 3,
            },
        )


def _tasks(scene: Scene) -> Iterator[Draft]:
    for _ in scene.some(1.5):
        done = {
            "operation": scene.rng.choice(OPERATIONS),
            "status": _status(scene),
            "duration_s": scene.seconds(4, 60),
        }
        yield "agent.operation", scene.who() | done
    for _ in scene.some(1):
        step = {"operation": scene.rng.choice(STEPS), "status": _status(scene)}
        yield "task.operation", scene.who() | step


def _storage(scene: Scene) -> Iterator[Draft]:
    for _ in scene.some(1):
        query: dict[str, object] = {"operation": scene.rng.choice(QUERIES), "status": "success"}
        yield "db.query", query | {"duration_s": scene.seconds(0.008, 0.5), "count": 10}
        result = "hit" if scene.rng.random() < 0.85 else "miss"
        yield "cache.operation", {"operation": "get", "result": result, "count": 8}


def _errors(scene: Scene) -> Iterator[Draft]:
    for _ in scene.some(0.1):
        error = {"component": scene.rng.choice(COMPONENTS), "error_type": "timeout"}
        yield "error", scene.who() | error | {"message": "The tool did not answer in time"}
        result = "failed" if scene.rng.random() < FAILING else "success"
        yield "error.recovery", {"recovery_type": "retry", "result": result}
    since = scene.troubles.get("outage")
    if since is not None:
        burst = {
            "component": "llm_gateway",
            "error_type": "provider_outage",
            "message": "The model provider is overloaded",
            "count": STORM if since < STORM_LASTS else BACKED_OFF,
        }
        yield "error", scene.who() | burst


def _missions(scene: Scene) -> Iterator[Draft]:
    for mission in scene.ended:
        ended: dict[str, object] = {
            "team_id": mission.team,
            "mission_id": mission.id,
            "outcome": "failed" if mission.error else "success",
            "duration_s": mission.lasts_s,
            "team_size": mission.size,
        }
        yield "mission.completed", ended | ({"error": mission.error} if mission.error else {})
    for _ in scene.some(0.05):
        tier, usd = scene.rng.choice(TIERS)
        yield "revenue", {"pricing_tier": tier, "amount_usd": usd}


def _gauges(scene: Scene) -> Iterator[Draft]:
    at_work = len(scene.working)
    for status, teams in (("active", at_work), ("idle", len(TEAMS) - at_work)):
        yield "team.active", {"status": status, "value": teams}
    agents = sum(mission.size for mission in scene.working)
    for index, agent_type in enumerate(AGENT_TYPES):
        share = (agents + index) // len(AGENT_TYPES)
        yield "agent.active", {"agent_type": agent_type, "value": share}
    waiting = scene.rng.randint(155, 195) if "backlog" in scene.troubles else 30 * scene.load
    for priority, part in zip(PRIORITIES, PRIORITY_SHARES, strict=True):
        yield "task.queue", {"priority": priority, "value": round(waiting * part)}
    busy = min(CONNECTIONS - 4, round(8 * scene.load) + scene.rng.randint(-1, 2))
    for state, connections in (("active", busy), ("idle", CONNECTIONS - busy)):
        yield "db.pool", {"state": state, "value": connections}
    for cache_type, ratio in (("prompt", 0.62), ("session", 0.88)):
        value = round(ratio + scene.rng.uniform(-0.03, 0.03), 3)
        yield "cache.ratio", {"cache_type": cache_type, "value": value}


def _status(scene: Scene) -> str:
    return "error" if scene.rng.random() < FAILING else "success"
