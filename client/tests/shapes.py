"""Responses in the shapes of the providers' own classes, and as dicts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

CALL = {"provider": "openai", "model": "gpt-4o", "status": "success"}


def thing(value: Any) -> Any:
    """Turn dicts into objects with attributes, as SDKs have them."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return SimpleNamespace(**{name: thing(inner) for name, inner in fields.items()})
    if isinstance(value, list):
        return [thing(inner) for inner in cast("list[Any]", value)]
    return value


def chat(**usage: Any) -> dict[str, Any]:
    """Return an OpenAI chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "choices": [{"finish_reason": "stop", "message": {"content": "hello"}}],
        "usage": {"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280, **usage},
    }


def chunk(**more: Any) -> dict[str, Any]:
    """Return a chunk of an OpenAI chat completion."""
    delta = {"index": 0, "delta": {"content": "x"}, "finish_reason": None}
    return {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "model": "gpt-4o-2024-08-06",
        "choices": [delta],
        "usage": None,
        **more,
    }


CHUNKS = [
    chunk(),
    chunk(choices=[{"index": 0, "delta": {"content": None}, "finish_reason": "stop"}]),
    chunk(choices=[], usage={"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}),
]
ANTHROPIC_EVENTS = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "model": "claude-sonnet-4-5-20250929",
            "usage": {
                "input_tokens": 50,
                "cache_read_input_tokens": 900,
                "cache_creation_input_tokens": 100,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 60,
                    "ephemeral_1h_input_tokens": 40,
                },
                "output_tokens": 1,
                "service_tier": "standard",
            },
        },
    },
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 33, "input_tokens": None, "cache_read_input_tokens": None},
    },
    {"type": "message_stop"},
]
ANTHROPIC_USAGE = {
    "input_tokens": 1050,
    "output_tokens": 33,
    "cache_read_tokens": 900,
    "cache_write_tokens": 100,
    "cache_write_1h_tokens": 40,
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5-2025-08-07",
    "service_tier": "flex",
    "output": [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "message"},
    ],
    "usage": {
        "input_tokens": 300,
        "input_tokens_details": {"cached_tokens": 200},
        "output_tokens": 90,
        "output_tokens_details": {"reasoning_tokens": 64},
        "total_tokens": 390,
    },
}
RESPONSE_USAGE = {
    "input_tokens": 300,
    "output_tokens": 90,
    "cache_read_tokens": 200,
    "reasoning_tokens": 64,
    "web_searches": 1,
}
