"""Reads usage from the chunks of a streamed response: each provider has a place for it."""

from __future__ import annotations

from agentmeter_client.fields import Look, items, look, text
from agentmeter_client.usage import Reading, Used, read, used_in

RESPONSE_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
MESSAGE_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation",
    "output_tokens_details",
    "server_tool_use",
    "iterations",
)


class Chunks:
    """Looks at the chunks as they pass; keeps none of them."""

    def __init__(self) -> None:
        self._seen = Reading()
        self._used: Used | None = None
        self._final = False
        self._started: Look = look(None)

    def add(self, chunk: object) -> None:
        """Look at one chunk or event."""
        get = look(chunk)
        kind = text(get, "type") or ""
        if kind.startswith("response."):
            self._response_event(kind, get("response"))
        elif kind == "message_start":
            self._started = look(look(get("message"))("usage"))
            self._remember(get("message"))
        elif kind == "message_delta":
            self._message_delta(look(get("usage")))
        elif not kind:
            self._plain_chunk(chunk, get)

    def reading(self, complete: bool) -> Reading:
        """Return what the stream said.

        complete: it was read to its end. Of a stream that was broken off only a final usage
        counts: running ones would make a long answer cheap.
        """
        used = self._used if complete or self._final else None
        return self._seen._replace(usage=used and used.usage, doubts=(used and used.doubts) or None)

    def _response_event(self, kind: str, response: object) -> None:
        """OpenAI's Responses: the last event carries the whole response."""
        if response is not None:
            stated = self._remember(response)
            if kind in RESPONSE_ENDS:
                self._take(stated, final=True)

    def _message_delta(self, used: Look) -> None:
        """Anthropic: the delta's totals replace those that the message started with."""
        both: dict[str, object] = {}
        for name in MESSAGE_COUNTS:
            said = used(name)
            both[name] = self._started(name) if said is None else said
        self._take(used_in(look({"usage": both}), self._seen.response_model), final=True)

    def _plain_chunk(self, chunk: object, get: Look) -> None:
        """Chat completions, Azure and Google: usage stands in the last chunk, or in every one."""
        stated = self._remember(chunk)
        if stated is not None:
            choices = [look(one) for one in (*items(get, "choices"), *items(get, "candidates"))]
            ends = any(text(one, "finish_reason", "finishReason") for one in choices)
            self._take(stated, final=ends or not choices)

    def _take(self, used: Used | None, final: bool) -> None:
        """Keep the latest usage."""
        if used is not None:
            self._used = used
            self._final = final

    def _remember(self, chunk: object) -> Used | None:
        """Keep what the chunk says about the call, the latest word; return its usage."""
        stated = read(chunk)
        self._seen = Reading(
            None,
            stated.response_id or self._seen.response_id,
            stated.response_model or self._seen.response_model,
            stated.service_tier or self._seen.service_tier,
        )
        return None if stated.usage is None else Used(stated.usage, stated.doubts or ())
