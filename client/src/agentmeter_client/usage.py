"""Reads what a model call used from the response objects and dicts of any provider.

Input and output are totals, as agentmeter wants them: with cached tokens, with reasoning. What a
response does not say is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agentmeter_client.fields import field, items, number, text

Usage = dict[str, int]


class Reading(NamedTuple):
    """What a response says about its call; None where it is silent."""

    usage: Usage | None = None
    response_id: str | None = None
    response_model: str | None = None
    service_tier: str | None = None


def read(response: object) -> Reading:
    """Return what the response says.

    OpenAI's chat completions, Responses and embeddings, and who copies them; Anthropic's messages;
    Azure AI Inference; Google's generate_content; messages of LangChain.
    """
    about, used = field(response, "response_metadata"), field(response, "usage")
    return Reading(
        usage_of(response),
        text(about, "id")  # LangChain's own id of a message is none of the provider's
        if about is not None
        else text(response, "id", "response_id", "responseId"),
        text(response, "model", "model_version", "modelVersion")
        or text(about, "model_name", "model"),
        text(response, "service_tier") or text(used, "service_tier") or text(about, "service_tier"),
    )


def usage_of(response: object) -> Usage | None:
    """Return the tokens of a response, None where it does not say."""
    used = field(response, "usage")
    if used is not None:
        if number(used, "prompt_tokens") is not None:
            return _checked(_chat(used))
        if number(used, "input_tokens") is not None:
            return _checked(_messages(used, response))
        return None
    used = field(response, "usage_metadata", "usageMetadata")
    if number(used, "prompt_token_count", "promptTokenCount") is not None:
        return _checked(_google(used))
    if number(used, "input_tokens") is not None:
        return _checked(_langchain(used))
    return None


def _chat(used: object) -> dict[str, int | None] | None:
    """OpenAI's chat completions and embeddings: the prompt includes what was cached."""
    prompt, output = number(used, "prompt_tokens"), number(used, "completion_tokens")
    total = number(used, "total_tokens")
    given, made = (
        field(used, "prompt_tokens_details"),
        field(used, "completion_tokens_details"),
    )
    reasoning = number(made, "reasoning_tokens")
    if output is None and total is None:
        return None
    if output is None:
        output = max(0, (total or 0) - (prompt or 0))
    if reasoning and total == (prompt or 0) + output + reasoning:
        output += reasoning  # xAI counts reasoning beside the completion
    read_ = number(given, "cached_tokens")
    written = number(given, "cache_write_tokens", "cache_creation_tokens")
    return {
        "input_tokens": prompt,
        "output_tokens": output,
        "cache_read_tokens": _first(
            read_, number(used, "cache_read_input_tokens", "prompt_cache_hit_tokens")
        ),
        "cache_write_tokens": _first(written, number(used, "cache_creation_input_tokens")),
        "reasoning_tokens": reasoning,
        "audio_input_tokens": number(given, "audio_tokens"),
        "audio_output_tokens": number(made, "audio_tokens"),
    }


def _messages(used: object, response: object) -> dict[str, int | None] | None:
    """Anthropic's messages, whose input excludes what was cached, and OpenAI's Responses."""
    fresh, output = number(used, "input_tokens"), number(used, "output_tokens")
    if output is None:
        return None
    read_, written = (
        number(used, "cache_read_input_tokens"),
        number(used, "cache_creation_input_tokens"),
    )
    given, made = field(used, "input_tokens_details"), field(used, "output_tokens_details")
    return {
        "input_tokens": (fresh or 0) + (read_ or 0) + (written or 0),
        "output_tokens": output,
        "cache_read_tokens": _first(read_, number(given, "cached_tokens")),
        "cache_write_tokens": _first(written, number(given, "cache_write_tokens")),
        "cache_write_1h_tokens": number(field(used, "cache_creation"), "ephemeral_1h_input_tokens"),
        "reasoning_tokens": number(made, "reasoning_tokens", "thinking_tokens"),
        "web_searches": _first(
            number(field(used, "server_tool_use"), "web_search_requests"), _searches(response)
        ),
    }


def _google(used: object) -> dict[str, int | None]:
    """Google's generate_content: candidates exclude thoughts, the prompt excludes tool results."""
    prompt = number(used, "prompt_token_count", "promptTokenCount") or 0
    thoughts = number(used, "thoughts_token_count", "thoughtsTokenCount")
    made = number(used, "candidates_token_count", "candidatesTokenCount") or 0
    tools = number(used, "tool_use_prompt_token_count", "toolUsePromptTokenCount") or 0
    return {
        "input_tokens": prompt + tools,
        "output_tokens": made + (thoughts or 0),
        "cache_read_tokens": number(used, "cached_content_token_count", "cachedContentTokenCount"),
        "reasoning_tokens": thoughts,
        "audio_input_tokens": _audio(used, "prompt_tokens_details", "promptTokensDetails"),
        "audio_output_tokens": _audio(used, "candidates_tokens_details", "candidatesTokensDetails"),
    }


def _langchain(used: object) -> dict[str, int | None]:
    """LangChain's messages: totals include their parts."""
    given, made = field(used, "input_token_details"), field(used, "output_token_details")
    return {
        "input_tokens": number(used, "input_tokens"),
        "output_tokens": number(used, "output_tokens"),
        "cache_read_tokens": number(given, "cache_read"),
        "cache_write_tokens": number(given, "cache_creation"),
        "reasoning_tokens": number(made, "reasoning"),
        "audio_input_tokens": number(given, "audio"),
        "audio_output_tokens": number(made, "audio"),
    }


def _checked(counts: Mapping[str, int | None] | None) -> Usage | None:
    """Return the counts that are there; totals never less than their parts.

    A provider whose parts exceed its total counts them beside it.
    """
    if counts is None:
        return None
    usage = {name: value for name, value in counts.items() if value}
    usage["input_tokens"] = usage.get("input_tokens", 0)
    usage["output_tokens"] = usage.get("output_tokens", 0)
    cached = usage.get("cache_read_tokens", 0) + usage.get("cache_write_tokens", 0)
    if cached > usage["input_tokens"]:
        usage["input_tokens"] += cached
    if usage.get("reasoning_tokens", 0) > usage["output_tokens"]:
        usage["output_tokens"] += usage["reasoning_tokens"]
    return usage


def _first(*values: int | None) -> int | None:
    """Return the first that is there."""
    return next((value for value in values if value is not None), None)


def _searches(response: object) -> int:
    """Count the web searches among the output items of OpenAI's Responses."""
    return sum(
        text(item, "type") == "web_search_call"
        and text(field(item, "action"), "type") in ("search", None)
        for item in items(response, "output")
    )


def _audio(used: object, *names: str) -> int | None:
    """Return the audio tokens among Google's details by modality."""
    for name in names:
        for part in items(used, name):
            if text(part, "modality") == "AUDIO":
                return number(part, "token_count", "tokenCount")
    return None
