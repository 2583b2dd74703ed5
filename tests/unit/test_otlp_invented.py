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


@pytest.mark.parametrize("part", ["input_a B", "input_audioTokens", f"output_{'p' * 200}"])
def test_a_part_with_an_odd_name_is_a_doubt_too(part: str) -> None:
    assert langfuse(f'{{"input": 10, "output": 5, "{part}": 3}}').doubts == ("usage",)


def test_many_parts_leave_the_call_as_it_is() -> None:
    parts = ", ".join(f'"input_p{n}": 1' for n in range(40))
    call = langfuse(f'{{"input": 10, "output": 5, {parts}}}')
    assert (counts(call)[:2], len(call.doubts)) == ((10, 5), 4)


@pytest.mark.parametrize(
    ("cost", "usd"),
    [
        pytest.param('{"total": 0.5, "input": 0.4}', "0.5", id="total"),
        pytest.param('{"input": 0.25, "output": 0.5}', "0.75", id="parts"),
        pytest.param('{"total": 1e999}', None, id="absurd"),
        pytest.param('{"total": 1e300}', None, id="above every cost"),
        pytest.param('{"total": %s}' % ("9" * 400), None, id="too long"),
        pytest.param('{"total": true}', None, id="no number"),
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


def test_openrouter_counts_as_openai_does() -> None:
    said: dict[str, Scalar] = {
        "gen_ai.system": "openrouter",
        "gen_ai.request.model": "anthropic/claude-sonnet-4.5",
        "ai.usage.inputTokens": 4000,
        "ai.usage.cachedInputTokens": 3000,
        "ai.usage.outputTokens": 100,
        "ai.usage.reasoningTokens": 60,
    }
    assert counts(reported("ai", {**VERCEL, **said}))[:3] == (4000, 100, 3000)


def test_bedrocks_cache_is_read_where_vercel_keeps_it() -> None:
    said: dict[str, Scalar] = {
        "gen_ai.system": "amazon-bedrock",
        "gen_ai.request.model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "ai.usage.promptTokens": 100,
        "ai.response.providerMetadata": (
            '{"bedrock": {"usage": {"cacheReadInputTokens": 3000, "cacheWriteInputTokens": 500}}}'
        ),
    }
    assert counts(reported("ai", {**VERCEL, **said})) == (3600, 100, 3000, 500)


def test_the_text_of_an_agents_failure_is_no_error_of_its_own() -> None:
    said: dict[str, Scalar] = {"gen_ai.operation.name": "invoke_agent"}
    assert record_of(span(said, failed=True, message="Request timed out.")).error == "error"


def test_a_server_error_stays_one() -> None:
    said = {**BARE, "error.type": "500"}
    assert record_of(span(said, failed=True, message="upstream aborted")).error == "500"
