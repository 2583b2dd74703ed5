from __future__ import annotations

from typing import Any

import pytest

from agentmeter_client.usage import Reading, read
from shapes import (
    ANTHROPIC_USAGE,
    RESPONSE,
    RESPONSE_USAGE,
    chat,
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


def test_google_names_its_tier_and_its_searches() -> None:
    used = {"promptTokenCount": 9, "candidatesTokenCount": 4, "trafficType": "ON_DEMAND_PRIORITY"}
    grounded = {"candidates": [{"groundingMetadata": {"webSearchQueries": ["a", "b"]}}]}
    found = [
        read({**grounded, "modelVersion": model, "usageMetadata": used})
        for model in ("gemini-2.5-pro", "gemini-3-pro-preview")
    ]
    assert [one.service_tier for one in found] == ["ON_DEMAND_PRIORITY"] * 2
    assert [one.usage and one.usage["web_searches"] for one in found] == [1, 2]


def test_xais_searches_stand_in_its_usage() -> None:
    used = chat(prompt_tokens=9, completion_tokens=4)
    used["usage"]["server_side_tool_usage_details"] = {"web_search_calls": 3}
    assert (read(used).usage or {})["web_searches"] == 3
