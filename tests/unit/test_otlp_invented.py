"""Shapes of usage and failures that no recording holds: older versions, details beside totals."""

from collections.abc import Mapping

import pytest

from shared.events.otlp.record import Call, record_of
from shared.events.otlp.span import Scalar
from tests.spans import BARE, span

COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
VERCEL: Mapping[str, Scalar] = {
    "ai.operationId": "ai.streamText.doStream",
    "gen_ai.system": "anthropic.messages",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "ai.usage.outputTokens": 100,
}
USAGE, COST = "langfuse.observation.usage_details", "langfuse.observation.cost_details"


def reported(scope: str, said: Mapping[str, Scalar]) -> Call:
    """Return the call that a span of that scope tells of."""
    call = record_of(span(said, scope=scope)).call
    assert call is not None
    return call


def counts(call: Call) -> tuple[int, ...]:
    return tuple((call.usage or {}).get(name, 0) for name in COUNTS)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        pytest.param(
            {"ai.usage.inputTokens": 4000, "ai.usage.cachedInputTokens": 3000},
            (7000, 100, 3000, 0),
            id="version 5",
        ),
        pytest.param(
            {
                "ai.usage.promptTokens": 100,
                "ai.response.providerMetadata": '{"anthropic": {"cacheCreationInputTokens": 500,'
                ' "cacheReadInputTokens": 3000}}',
            },
            (3600, 100, 3000, 500),
            id="version 4",
        ),
        pytest.param(
            {
                "ai.usage.inputTokens": 4000,
                "ai.usage.cachedInputTokens": 3000,
                "ai.usage.inputTokenDetails.noCacheTokens": 1000,
            },
            (4000, 100, 3000, 0),
            id="version 6",
        ),
    ],
)
def test_versions_of_vercel_count_the_cache(
    more: Mapping[str, Scalar], wanted: tuple[int, ...]
) -> None:
    call = reported("ai", {**VERCEL, **more})
    assert (counts(call), call.provider, call.doubts) == (wanted, "anthropic", ())


def langfuse(usage: str, model: str = "o3", **more: Scalar) -> Call:
    said = {"langfuse.observation.type": "generation", "langfuse.observation.model.name": model}
    return reported("langfuse-sdk", {**said, USAGE: usage, **more})


def test_langfuse_says_reasoning_beside_output() -> None:
    call = langfuse('{"input": 1200, "output": 50, "output_reasoning_tokens": 300, "total": 1550}')
    assert (counts(call), call.doubts) == ((1200, 350, 0, 0), ())


def test_a_part_that_is_not_known_is_a_doubt() -> None:
    call = langfuse('{"input": 1200, "output": 50, "input_audio": 900, "output_image": 0}')
    assert call.doubts == ("input_audio",)


@pytest.mark.parametrize(
    ("cost", "usd"),
    [
        pytest.param('{"total": 0.5, "input": 0.4}', "0.5", id="total"),
        pytest.param('{"input": 0.25, "output": 0.5}', "0.75", id="parts"),
        pytest.param('{"total": 1e999}', None, id="absurd"),
        pytest.param("{}", None, id="empty"),
    ],
)
def test_langfuse_states_a_cost_as_json(cost: str, usd: str | None) -> None:
    assert langfuse('{"input": 1, "output": 1}', "gpt-4o", **{COST: cost}).cost_usd == usd


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("AbortError: This operation was aborted", "cancelled"),
        ("context canceled", "cancelled"),
        ("Request timed out.", "timeout"),
        ("context deadline exceeded", "timeout"),
        ("Bad request", "error"),
    ],
)
def test_a_failures_text_says_that_it_was_left(message: str, error: str) -> None:
    assert record_of(span(BARE, failed=True, message=message)).error == error


def test_a_stated_error_is_kept() -> None:
    said = {**BARE, "error.type": "RateLimitError"}
    assert record_of(span(said, failed=True, message="aborted")).error == "RateLimitError"
