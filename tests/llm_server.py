"""Answers as OpenAI and Anthropic do, over loopback, with usage that every test knows."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.loopback import Reply, Request

OPENAI_MODEL, CLAUDE_MODEL = "gpt-4o-2024-08-06", "claude-sonnet-4-5-20250929"
REFUSED_MODEL = "refused"
"""Whoever asks for it is told to slow down."""
CHAT_USAGE: Mapping[str, Any] = {
    "prompt_tokens": 1200,
    "completion_tokens": 80,
    "total_tokens": 1280,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0},
}
RESPONSES_USAGE: Mapping[str, Any] = {
    "input_tokens": 1200,
    "input_tokens_details": {"cached_tokens": 1024},
    "output_tokens": 80,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 1280,
}
CLAUDE_USAGE: Mapping[str, Any] = {
    "input_tokens": 100,
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 80,
    "service_tier": "standard",
}
_numbers = itertools.count(1)


def answer(request: Request) -> Reply:
    """Answer a call of any of the APIs, streamed if it asks for that."""
    asked: dict[str, Any] = request.json()
    if asked.get("model") == REFUSED_MODEL:
        error = {"message": "slow down", "type": "rate_limit", "code": "rate_limit"}
        return _json({"error": error}, 429)
    routes = {
        "/chat/completions": _chat,
        "/responses": _responses,
        "/embeddings": _embeddings,
        "/messages": _messages,
    }
    return next(reply for path, reply in routes.items() if request.path.endswith(path))(asked)


def _chat(asked: Mapping[str, Any]) -> Reply:
    base = {
        "id": f"chatcmpl-{next(_numbers):024d}",
        "created": 1,
        "model": OPENAI_MODEL,
        "service_tier": "default",
    }
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "Hello."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {"object": "chat.completion", "choices": [choice], "usage": CHAT_USAGE}
        return _json(base | whole)
    deltas: tuple[dict[str, str], ...] = (
        {"role": "assistant", "content": "Hel"},
        {"content": "lo."},
        {},
    )
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
        for delta in deltas
    ]
    if asked.get("stream_options"):
        chunks.append({"choices": [], "usage": CHAT_USAGE})
    lines = [base | {"object": "chat.completion.chunk"} | chunk for chunk in chunks]
    return _stream([*(f"data: {json.dumps(line)}" for line in lines), "data: [DONE]"])


def _responses(asked: Mapping[str, Any]) -> Reply:
    text: dict[str, Any] = {"type": "output_text", "text": "Hello.", "annotations": []}
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant"}
    whole: dict[str, Any] = {
        "id": f"resp_{next(_numbers):024d}",
        "object": "response",
        "created_at": 1,
        "model": OPENAI_MODEL,
        "status": "completed",
        "service_tier": "default",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [message | {"content": [text]}],
        "usage": RESPONSES_USAGE,
    }
    if not asked.get("stream"):
        return _json(whole)
    begun: dict[str, Any] = whole | {"status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return _events(
        [
            {"type": "response.created", "sequence_number": 0, "response": begun},
            {
                **{"type": "response.output_text.delta", "sequence_number": 1, **place},
                **{"delta": "Hello.", "logprobs": []},
            },
            {"type": "response.completed", "sequence_number": 2, "response": whole},
        ]
    )


def _embeddings(asked: Mapping[str, Any]) -> Reply:
    vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return _json({"object": "list", "model": asked["model"], "data": [vector], "usage": usage})


def _messages(asked: Mapping[str, Any]) -> Reply:
    whole: dict[str, Any] = {
        "id": f"msg_{next(_numbers):024d}",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE_MODEL,
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": CLAUDE_USAGE,
    }
    if not asked.get("stream"):
        return _json(whole)
    begun: dict[str, Any] = whole | {
        "content": [],
        "stop_reason": None,
        "usage": {**CLAUDE_USAGE, "output_tokens": 1},
    }
    text = {"type": "text", "text": ""}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return _events(
        [
            {"type": "message_start", "message": begun},
            {"type": "content_block_start", "index": 0, "content_block": text},
            {
                **{"type": "content_block_delta", "index": 0},
                "delta": {"type": "text_delta", "text": "Hello."},
            },
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 80}},
            {"type": "message_stop"},
        ]
    )


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _events(events: Sequence[Mapping[str, Any]]) -> Reply:
    return _stream([f"event: {event['type']}\ndata: {json.dumps(event)}" for event in events])


def _stream(blocks: Sequence[str]) -> Reply:
    body = "".join(f"{block}\n\n" for block in blocks)
    return Reply(200, body.encode(), {"Content-Type": "text/event-stream"})
