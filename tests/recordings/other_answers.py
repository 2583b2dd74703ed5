"""Answers as Google, Cohere and Bedrock do."""

import json
import struct
import zlib

from tests.loopback import Reply
from tests.recordings.answers import JSON_TYPE, Asked, Json, arguments, as_json, stream


def gemini(call: Asked) -> Reply:
    """Answer as Gemini does."""
    asked, used = call.asked, call.used
    model = call.path.rpartition("/models/")[2].partition(":")[0]
    part: Json = {"text": "Sunny."}
    declared = [f for t in asked.get("tools") or () for f in t.get("functionDeclarations", ())]
    if declared and "functionResponse" not in json.dumps(asked["contents"]):
        schema: Json = (
            declared[0].get("parameters") or declared[0].get("parametersJsonSchema") or {}
        )
        part = {"functionCall": {"name": declared[0]["name"], "args": arguments(schema)}}
    whole = {
        "candidates": [
            {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [part]}}
        ],
        "modelVersion": model,
        "responseId": call.id("g"),
        "usageMetadata": {
            "promptTokenCount": used.input,
            "cachedContentTokenCount": used.cache_read,
            "candidatesTokenCount": used.output - used.reasoning,
            "thoughtsTokenCount": used.reasoning,
            "totalTokenCount": used.input + used.output,
        },
    }
    if ":stream" in call.path:
        return stream([f"data: {json.dumps(whole)}"])
    return as_json(whole)


def cohere(call: Asked) -> Reply:
    """Answer as Cohere's chat does."""
    used = call.used
    tokens = {"input_tokens": used.input, "output_tokens": used.output}
    message = {"role": "assistant", "content": [{"type": "text", "text": "Sunny."}]}
    return as_json(
        {
            "id": call.id("c-"),
            "finish_reason": "COMPLETE",
            "message": message,
            "usage": {"billed_units": tokens, "tokens": tokens},
        }
    )


def bedrock(call: Asked) -> Reply:
    """Answer as Bedrock's Converse and InvokeModel do."""
    used = call.used
    _, _, model, verb = call.path.split("/")
    plain = used.input - used.cache_read - used.cache_write
    if verb == "invoke":
        usage = {"input_tokens": plain, "output_tokens": used.output}
        usage |= {
            "cache_read_input_tokens": used.cache_read,
            "cache_creation_input_tokens": used.cache_write,
        }
        text = [{"type": "text", "text": "Sunny."}]
        whole: Json = {"id": call.id("msg_bdrk_"), "type": "message", "role": "assistant"}
        whole |= {"model": model, "content": text, "stop_reason": "end_turn", "usage": usage}
        counts = {"input": plain, "output": used.output}
        counts |= {"cache-read-input": used.cache_read, "cache-write-input": used.cache_write}
        headers = {f"x-amzn-bedrock-{n}-token-count": str(c) for n, c in counts.items()}
        return Reply(200, json.dumps(whole).encode(), {**headers, **JSON_TYPE})
    usage = {
        "inputTokens": plain,
        "outputTokens": used.output,
        "totalTokens": used.input + used.output,
        "cacheReadInputTokens": used.cache_read,
        "cacheWriteInputTokens": used.cache_write,
    }
    if verb == "converse":
        message = {"role": "assistant", "content": [{"text": "Sunny."}]}
        whole = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
        return as_json(whole | {"metrics": {"latencyMs": 80}})
    frames: list[tuple[str, Json]] = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Sunny."}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": usage, "metrics": {"latencyMs": 80}}),
    ]
    body = b"".join(_frame(kind, value) for kind, value in frames)
    return Reply(200, body, {"Content-Type": "application/vnd.amazon.eventstream"})


def _frame(kind: str, value: Json) -> bytes:
    """Return an event as AWS frames it."""
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
        for name, text in {
            ":event-type": kind,
            ":content-type": "application/json",
            ":message-type": "event",
        }.items()
    )
    payload = json.dumps(value).encode()
    head = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head += struct.pack(">I", zlib.crc32(head))
    whole = head + headers + payload
    return whole + struct.pack(">I", zlib.crc32(whole))
