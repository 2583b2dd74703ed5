"""Answers as OpenAI and Anthropic do."""

import base64
import json
import struct
from typing import Any, cast

from tests.loopback import Reply
from tests.recordings.answers import Asked, Json, arguments, as_json, events, stream


def chat(call: Asked) -> Reply:
    """Answer as OpenAI's chat completions do."""
    asked, used = call.asked, call.used
    model = asked["model"]
    options: Json = asked.get("stream_options") or {}
    wants_usage = bool(options.get("include_usage"))
    base: Json = {"id": call.id("chatcmpl-"), "created": call.at(), "model": model}
    usage = {
        "prompt_tokens": used.input,
        "completion_tokens": used.output,
        "total_tokens": used.input + used.output,
        "prompt_tokens_details": {"cached_tokens": used.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": used.reasoning, "audio_tokens": 0},
    }
    message, reason = _message(asked)
    if not asked.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        return as_json(base | {"object": "chat.completion", "choices": [choice], "usage": usage})
    calls = [{"index": 0, **call} for call in message.get("tool_calls") or ()]
    delta: Json = {"role": "assistant", "content": message["content"]}
    if calls:
        delta["tool_calls"] = calls
    chunks: list[Json] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
    ]
    if wants_usage:
        chunks.append({"choices": [], "usage": usage})
    lines = [json.dumps(base | {"object": "chat.completion.chunk"} | one) for one in chunks]
    return stream([f"data: {line}" for line in (*lines, "[DONE]")])


def responses(call: Asked) -> Reply:
    """Answer as OpenAI's Responses API does."""
    asked, used = call.asked, call.used
    model = asked["model"]
    wants_tool = asked.get("tools") and "function_call_output" not in json.dumps(asked["input"])
    whole: Json = {
        "id": call.id("resp_"),
        "object": "response",
        "created_at": call.at(),
        "model": model,
        "status": "completed",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [_called(asked["tools"][0]) if wants_tool else _said()],
        "usage": {
            "input_tokens": used.input,
            "input_tokens_details": {"cached_tokens": used.cache_read, "cache_write_tokens": 0},
            "output_tokens": used.output,
            "output_tokens_details": {"reasoning_tokens": used.reasoning},
            "total_tokens": used.input + used.output,
        },
    }
    if not asked.get("stream"):
        return as_json(whole)
    begun: Json = whole | {"status": "in_progress", "output": [], "usage": None}
    item = {"output_index": 0, "item": whole["output"][0]}
    return events(
        [
            {"type": "response.created", "sequence_number": 0, "response": begun},
            {"type": "response.output_item.added", "sequence_number": 1, **item},
            {"type": "response.output_item.done", "sequence_number": 2, **item},
            {"type": "response.completed", "sequence_number": 3, "response": whole},
        ]
    )


def embeddings(call: Asked) -> Reply:
    """Answer as OpenAI's embeddings do."""
    asked, used = call.asked, call.used
    vector: object = [0.1, 0.2]
    if asked.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<2f", 0.1, 0.2)).decode()
    size = len(cast("list[Any]", asked["input"])) if isinstance(asked["input"], list) else 1
    data = [{"object": "embedding", "index": n, "embedding": vector} for n in range(size)]
    usage = {"prompt_tokens": used.input, "total_tokens": used.input}
    return as_json({"object": "list", "model": used.model, "data": data, "usage": usage})


def messages(call: Asked) -> Reply:
    """Answer as Anthropic's Messages API does."""
    asked, used = call.asked, call.used
    plain = used.input - used.cache_read - used.cache_write
    usage = {
        "input_tokens": plain,
        "cache_read_input_tokens": used.cache_read,
        "cache_creation_input_tokens": used.cache_write,
        "output_tokens": used.output,
        "service_tier": "standard",
    }
    wants_tool = asked.get("tools") and "tool_result" not in json.dumps(asked["messages"])
    block: Json = {"type": "text", "text": "Sunny."}
    if wants_tool:
        tool = asked["tools"][0]
        given = arguments(tool.get("input_schema") or {})
        block = {"type": "tool_use", "id": "toolu_1", "name": tool["name"], "input": given}
    whole: Json = {
        "id": call.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": used.model,
        "content": [block],
        "stop_reason": "tool_use" if wants_tool else "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    if not asked.get("stream"):
        return as_json(whole)
    begun: Json = whole | {"content": [], "stop_reason": None}
    begun["usage"] = {**usage, "output_tokens": 1}
    empty: Json = {**block, "input": {}} if wants_tool else {"type": "text", "text": ""}
    delta: Json = {"type": "text_delta", "text": "Sunny."}
    if wants_tool:
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    return events(
        [
            {"type": "message_start", "message": begun},
            {"type": "content_block_start", "index": 0, "content_block": empty},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": ended, "usage": {"output_tokens": used.output}},
            {"type": "message_stop"},
        ]
    )


def _message(asked: Json) -> tuple[Json, str]:
    """Return the message, which calls the first tool unless one has answered."""
    tools = asked.get("tools")
    if not tools or any(one["role"] == "tool" for one in asked["messages"]):
        return {"role": "assistant", "content": "Sunny."}, "stop"
    function = tools[0]["function"]
    given = json.dumps(arguments(function.get("parameters") or {}))
    call = {"id": "call_1", "type": "function"}
    call |= {"function": {"name": function["name"], "arguments": given}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"


def _said() -> Json:
    text: Json = {"type": "output_text", "text": "Sunny.", "annotations": []}
    return {
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "role": "assistant",
        "content": [text],
    }


def _called(tool: Json) -> Json:
    given = json.dumps(arguments(tool.get("parameters") or {}))
    base = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed"}
    return {**base, "name": tool["name"], "arguments": given}
