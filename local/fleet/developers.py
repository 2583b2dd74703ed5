"""The coding agents of the simulated fleet: what developers' sessions report."""

from collections.abc import Iterator
from random import Random

from local.fleet.scene import TEAMS, Scene

Draft = tuple[str, dict[str, object]]
EVERY_S = 30
"""A call of one of them."""
DEVELOPERS = ("ada@example.com", "grace@example.com", "linus@example.com")
TOOLS = ("Bash", "Read", "Edit", "Grep")
AGENTS = (
    ("claude-code", "anthropic", "claude-sonnet-4-5"),
    ("codex", "openai", "gpt-5-codex"),
    ("gemini-cli", "google", "gemini-2.5-pro"),
)
CONTEXT, GROWTH, WINDOW = 3_000, 150, 60
"""Tokens of a session's first call, and what each call adds, until the context is compacted."""
FAILING, TOOL_FAILING = 0.06, 0.08


def sessions(scene: Scene) -> Iterator[Draft]:
    """Yield what coding agents do in this second; it draws on no chance of the other agents'."""
    second = int(scene.at.timestamp())
    turn, now = divmod(second, EVERY_S)
    if now:
        return
    rng = Random(f"developers/{turn}")  # noqa: S311 - a simulation keeps no secret
    person = turn % len(DEVELOPERS)
    agent, provider, model = AGENTS[person]
    who: dict[str, object] = {
        "agent_type": agent,
        "team_id": TEAMS[person],
        "user_id": DEVELOPERS[person],
        "mission_id": f"shop-{TEAMS[person]}",
        "conversation_id": f"{agent}-{second // 3600}",
    }
    call = {"provider": provider, "model": model, "operation": "chat"}
    yield "llm.call", who | call | _outcome(rng, turn)
    tool = {"operation": f"execute_tool {rng.choice(TOOLS)}", "call_id": f"toolu_{turn:024d}"}
    status = "error" if rng.random() < TOOL_FAILING else "success"
    yield "task.operation", who | tool | {"status": status}


def _outcome(rng: Random, turn: int) -> dict[str, object]:
    """Return how a call went: most of a long context is read from the cache."""
    if rng.random() < FAILING:
        nothing = {"input_tokens": 0, "output_tokens": 0}
        return {"status": "error", "error_type": "529", "duration_s": 0.9, "usage": nothing}
    size = CONTEXT + GROWTH * (turn % WINDOW)
    used = {
        "input_tokens": size,
        "cache_read_tokens": int(size * 0.92),
        "output_tokens": rng.randint(80, 900),
    }
    answer: dict[str, object] = {
        "status": "success",
        "duration_s": round(rng.uniform(2, 9), 3),
        "usage": used,
    }
    return answer | {"response_id": f"req_{turn:024d}"}
