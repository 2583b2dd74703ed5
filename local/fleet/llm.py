"""The model calls of the simulated fleet: many providers, an outage, a runaway loop."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from local.fleet.scene import Scene

USUAL, STORM, BACKED_OFF, CATCHING_UP = 3.0, 8.0, 1.2, 7.5
"""Calls a second. In an outage agents first retry at once, then back off, and later make good what
was left undone, so that five minutes on the share of failures is small again."""
STORM_LASTS = timedelta(seconds=4)
FAILING, FAILING_IN_AN_OUTAGE = 0.015, 0.7
RUNAWAY_EVERY_S = 5
MOST_SECONDS = 24.0


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the fleet calls. share: of all calls. Tokens and seconds are medians.

    cached, reasoning: shares of the input and of the output.
    """

    provider: str
    name: str
    share: float
    input_tokens: int
    output_tokens: int
    seconds: float
    cached: float = 0.0
    reasoning: float = 0.0
    deployment: str = ""


MODELS = (
    Model("openai", "gpt-4o-mini", 22, 900, 180, 1.4, cached=0.4),
    Model("openai", "gpt-5-mini", 12, 700, 350, 4.0, reasoning=0.6),
    Model("anthropic", "claude-haiku-4-5", 12, 600, 120, 1.2, cached=0.5),
    Model("anthropic", "claude-sonnet-4-5", 1.5, 1200, 250, 4.5, cached=0.6),
    Model("azure", "gpt-4o", 3, 500, 120, 2.0, deployment="chat-sweden"),
    Model("azure", "gpt-4o-mini", 12, 800, 160, 1.5, deployment="mini-sweden"),
    Model("google", "gemini-2.5-flash", 14, 800, 150, 1.3, reasoning=0.3),
    Model("mistral", "mistral-small-latest", 10, 700, 160, 1.1),
    Model("deepseek", "deepseek-chat", 8, 900, 200, 3.0, cached=0.3),
    Model("groq", "llama-3.3-70b-versatile", 5, 600, 150, 0.5),
    Model("workshop", "house-blend-preview", 0.5, 700, 150, 2.0),
)
"""The last one has no price anywhere, as it happens with new models."""
RUNAWAY = Model("anthropic", "claude-opus-4-1", 0, 16_000, 1_200, 14.0)
"""About 72 cents a call: at one in four seconds, some $650 an hour."""
SHARES = [model.share for model in MODELS]


def calls(scene: Scene) -> Iterator[dict[str, object]]:
    """Yield the data of the calls of this second."""
    failing = FAILING_IN_AN_OUTAGE if "outage" in scene.troubles else FAILING
    for _ in scene.some(_pace(scene)):
        model = scene.rng.choices(MODELS, SHARES)[0]
        failed = scene.rng.random() < failing
        yield scene.who() | _named(model) | (_failure(scene) if failed else _success(scene, model))
    since = scene.troubles.get("surge")
    if since is not None and since // timedelta(seconds=1) % RUNAWAY_EVERY_S == 0:
        yield scene.who() | _runaway(scene)


def _pace(scene: Scene) -> float:
    """Return how many calls a second agents make at usual load."""
    since = scene.troubles.get("outage")
    if since is None:
        return CATCHING_UP if "recovery" in scene.troubles else USUAL
    return STORM if since < STORM_LASTS else BACKED_OFF


def _named(model: Model) -> dict[str, object]:
    """Return which model it is."""
    named: dict[str, object] = {
        "provider": model.provider,
        "model": model.name,
        "operation": "chat",
    }
    return named | {"deployment": model.deployment} if model.deployment else named


def _success(scene: Scene, model: Model) -> dict[str, object]:
    """Return an answered call, its tokens and time around what is usual of the model."""
    taken_in = int(scene.around(model.input_tokens, 0.4, 8 * model.input_tokens))
    put_out = int(scene.around(model.output_tokens, 0.4, 8 * model.output_tokens))
    parts = {
        "cache_read_tokens": int(taken_in * model.cached),
        "reasoning_tokens": int(put_out * model.reasoning),
    }
    return {
        "status": "success",
        "duration_s": scene.seconds(model.seconds, MOST_SECONDS),
        "response_id": f"resp_{scene.rng.getrandbits(80):020x}",
        "response_model": model.name,
        "usage": {"input_tokens": taken_in, "output_tokens": put_out}
        | {part: tokens for part, tokens in parts.items() if tokens},
    }


def _failure(scene: Scene) -> dict[str, object]:
    """Return a call without an answer; the provider bills nothing, which is known."""
    return {
        "status": "error",
        "error_type": scene.rng.choice(("rate_limit", "overloaded", "timeout", "server_error")),
        "duration_s": scene.seconds(0.8, MOST_SECONDS),
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def _runaway(scene: Scene) -> dict[str, object]:
    """Return a call of an agent that asks the dearest model the same thing again and again."""
    return _named(RUNAWAY) | {
        "status": "success",
        "duration_s": scene.seconds(RUNAWAY.seconds, MOST_SECONDS),
        "response_id": f"resp_{scene.rng.getrandbits(80):020x}",
        "conversation_id": "runaway-loop",
        "usage": {"input_tokens": RUNAWAY.input_tokens, "output_tokens": RUNAWAY.output_tokens},
    }
