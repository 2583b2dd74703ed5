from __future__ import annotations

from typing import Any

import pytest

from agentmeter_client.chunks import Chunks
from agentmeter_client.usage import Reading, read
from shapes import (
    ANTHROPIC_EVENTS,
    ANTHROPIC_USAGE,
    CHUNKS,
    RESPONSE,
    RESPONSE_USAGE,
    chat,
    chunk,
    thing,
)

ANTHROPIC_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-sonnet-4-5-20250929",
    "usage": {
        "input_tokens": 50,
        "output_tokens": 33,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 100,
        "cache_creation": {"ephemeral_1h_input_tokens": 40, "ephemeral_5m_input_tokens": 60},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "priority",
    },
}
CASES = [
    pytest.param(
        chat(
            prompt_tokens_details={"cached_tokens": 1024, "audio_tokens": 7},
            completion_tokens_details={"reasoning_tokens": 30, "audio_tokens": 5},
        ),
        Reading(
            {
                "input_tokens": 1200,
                "output_tokens": 80,
                "cache_read_tokens": 1024,
                "reasoning_tokens": 30,
                "audio_input_tokens": 7,
                "audio_output_tokens": 5,
            },
            "chatcmpl-1",
            "gpt-4o-2024-08-06",
            "default",
        ),
        id="openai-chat",
    ),
    pytest.param(
        RESPONSE,
        Reading(RESPONSE_USAGE, "resp_1", "gpt-5-2025-08-07", "flex"),
        id="openai-responses",
    ),
    pytest.param(
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        },
        Reading({"input_tokens": 8, "output_tokens": 0}, None, "text-embedding-3-small"),
        id="embeddings",
    ),
    pytest.param(
        ANTHROPIC_MESSAGE,
        Reading(
            {**ANTHROPIC_USAGE, "web_searches": 2},
            "msg_1",
            "claude-sonnet-4-5-20250929",
            "priority",
        ),
        id="anthropic",
    ),
    pytest.param(
        {
            "response_id": "g-1",
            "model_version": "gemini-2.5-pro",
            "usage_metadata": {
                "prompt_token_count": 100,
                "cached_content_token_count": 40,
                "candidates_token_count": 20,
                "thoughts_token_count": 15,
                "tool_use_prompt_token_count": 6,
                "prompt_tokens_details": [{"modality": "AUDIO", "token_count": 9}],
            },
        },
        Reading(
            {
                "input_tokens": 106,
                "output_tokens": 35,
                "cache_read_tokens": 40,
                "reasoning_tokens": 15,
                "audio_input_tokens": 9,
            },
            "g-1",
            "gemini-2.5-pro",
        ),
        id="google",
    ),
    pytest.param(
        {
            "responseId": "g-2",
            "modelVersion": "gemini-2.5-flash",
            "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2},
        },
        Reading({"input_tokens": 4, "output_tokens": 2}, "g-2", "gemini-2.5-flash"),
        id="google-rest",
    ),
    pytest.param(
        {
            "id": "run-7",
            "response_metadata": {"id": "msg_9", "model_name": "claude-x"},
            "usage_metadata": {
                "input_tokens": 10,
                "output_tokens": 5,
                "total_tokens": 15,
                "input_token_details": {"cache_read": 3, "cache_creation": 2},
                "output_token_details": {"reasoning": 1},
            },
        },
        Reading(
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_tokens": 3,
                "cache_write_tokens": 2,
                "reasoning_tokens": 1,
            },
            "msg_9",
            "claude-x",
        ),
        id="langchain",
    ),
    pytest.param(
        {
            "id": "x",
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 4,
                "total_tokens": 44,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
        },
        Reading({"input_tokens": 10, "output_tokens": 34, "reasoning_tokens": 30}, "x"),
        id="reasoning-beside-the-completion",
    ),
    pytest.param(
        {
            "id": "msg_b",
            "model": "claude-opus-4-8",
            "usage": {
                "input_tokens": 24_000,
                "output_tokens": 900,
                "speed": "fast",
                "service_tier": "standard",
                "iterations": [
                    {"type": "compaction", "input_tokens": 170_000, "output_tokens": 3_000},
                    {"type": "message", "input_tokens": 24_000, "output_tokens": 900},
                ],
            },
        },
        Reading(
            {"input_tokens": 194_000, "output_tokens": 3_900}, "msg_b", "claude-opus-4-8", "fast"
        ),
        id="compaction-in-fast-mode",
    ),
    pytest.param(
        {
            "model": "grok-4",
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 400,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
        },
        Reading(
            {"input_tokens": 10, "output_tokens": 400, "reasoning_tokens": 30},
            response_model="grok-4",
            doubts=("reasoning_tokens",),
        ),
        id="reasoning-without-a-total",
    ),
    pytest.param(
        {
            "model": "gpt-4o",
            "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 900},
        },
        Reading(
            {"input_tokens": 10, "output_tokens": 4},
            response_model="gpt-4o",
            doubts=("total_tokens",),
        ),
        id="unexplained-total",
    ),
    pytest.param(
        {"usage": {"prompt_tokens": 5, "completion_tokens": 1, "cache_read_input_tokens": 100}},
        Reading(
            {"input_tokens": 105, "output_tokens": 1, "cache_read_tokens": 100},
            doubts=("model",),
        ),
        id="cache-beside-the-prompt",
    ),
]


@pytest.mark.parametrize(("response", "expected"), CASES)
def test_usage_is_read_from_dicts(response: Any, expected: Reading) -> None:
    assert read(response) == expected


@pytest.mark.parametrize(("response", "expected"), CASES)
def test_usage_is_read_from_objects(response: Any, expected: Reading) -> None:
    assert read(thing(response)) == expected


@pytest.mark.parametrize(
    "response",
    [
        None,
        "text",
        42,
        {},
        {"usage": None},
        {"usage": {}},
        {"usage": {"prompt_tokens": None}},
        {"usage": {"prompt_tokens": 5}},
        {"usage": {"prompt_tokens": True, "completion_tokens": True}},
        {"usage": {"input_tokens": 5}},
        {"usage": {"prompt_tokens": "5", "completion_tokens": "6"}},
        {"usage_metadata": {"total_token_count": 9}},
    ],
)
def test_what_says_no_usage_has_none(response: Any) -> None:
    assert read(response).usage is None


def streamed(chunks: Any, complete: bool = True) -> Reading:
    """Return what the chunks say."""
    seen = Chunks()
    for one in chunks:
        seen.add(one)
    return seen.reading(complete)


STREAMS = [
    pytest.param(
        CHUNKS,
        Reading({"input_tokens": 10, "output_tokens": 2}, "chatcmpl-2", "gpt-4o-2024-08-06"),
        id="openai-chat",
    ),
    pytest.param(
        [
            {"type": "response.created", "response": {"id": "resp_1", "usage": None}},
            {"type": "response.output_text.delta", "delta": "x"},
            {"type": "response.completed", "response": RESPONSE},
        ],
        Reading(RESPONSE_USAGE, "resp_1", "gpt-5-2025-08-07", "flex"),
        id="openai-responses",
    ),
    pytest.param(
        ANTHROPIC_EVENTS,
        Reading(ANTHROPIC_USAGE, "msg_1", "claude-sonnet-4-5-20250929", "standard"),
        id="anthropic",
    ),
    pytest.param(
        [
            {
                "response_id": "g",
                "candidates": [{"finish_reason": reason}],
                "usage_metadata": {"prompt_token_count": 9, "candidates_token_count": n},
            }
            for n, reason in ((1, None), (5, None), (12, "STOP"))
        ],
        Reading({"input_tokens": 9, "output_tokens": 12}, "g"),
        id="google",
    ),
]


@pytest.mark.parametrize(("chunks", "expected"), STREAMS)
def test_usage_is_where_each_provider_puts_it_in_a_stream(chunks: Any, expected: Reading) -> None:
    assert streamed(chunks) == expected
    assert streamed(thing(chunks)) == expected
    assert streamed(chunks, complete=False) == expected


@pytest.mark.parametrize(("chunks", "expected"), STREAMS)
def test_a_stream_broken_off_has_no_usage(chunks: Any, expected: Reading) -> None:
    cut = streamed(chunks[:2], complete=False)
    assert cut == expected._replace(
        usage=None, service_tier=cut.service_tier, response_model=cut.response_model
    )


def test_a_running_usage_counts_only_at_the_end() -> None:
    running = [
        chunk(usage={"prompt_tokens": 10, "completion_tokens": n, "total_tokens": 10 + n})
        for n in range(1, 4)
    ]
    assert streamed(running, complete=False).usage is None
    assert streamed(running).usage == {"input_tokens": 10, "output_tokens": 3}
