"""Reads what a model call used from the response objects and dicts of any provider.

Input and output are totals, as agentmeter wants them: with cached tokens, with reasoning. What a
response does not say is left out, never guessed.
"""

from __future__ import annotations

from typing import NamedTuple

from agentmeter_client.fields import Look, items, look, number, text

Usage = dict[str, int]
Counts = dict[str, "int | None"]


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
    get = look(response)
    about = get("response_metadata")
    if about is not None:  # LangChain's own id of a message is none of the provider's
        return _langchain_reading(get, look(about))
    used = look(get("usage"))
    return Reading(
        usage_of(get),
        text(get, "id", "response_id", "responseId"),
        text(get, "model", "model_version", "modelVersion"),
        text(get, "service_tier") or text(used, "service_tier"),
    )


def usage_of(get: Look) -> Usage | None:
    """Return the tokens of a response, None where it does not say."""
    if (used := get("usage")) is not None:
        counts = _openai_or_anthropic(look(used), get)
    elif (used := get("usage_metadata") or get("usageMetadata")) is not None:
        counts = _google_or_langchain(look(used))
    else:
        return None
    return None if counts is None else _checked(counts)


def _langchain_reading(get: Look, about: Look) -> Reading:
    """Read a message of LangChain, which keeps what the provider said apart."""
    return Reading(
        usage_of(get),
        text(about, "id"),
        text(about, "model_name", "model"),
        text(about, "service_tier"),
    )


def _openai_or_anthropic(used: Look, response: Look) -> Counts | None:
    """Tell two shapes of `usage` apart by their names."""
    if (prompt := number(used, "prompt_tokens")) is not None:
        return _chat(used, prompt)
    if (fresh := number(used, "input_tokens")) is not None:
        return _messages(used, fresh, response)
    return None


def _google_or_langchain(used: Look) -> Counts | None:
    """Tell two shapes of `usage_metadata` apart by their names."""
    if (prompt := number(used, "prompt_token_count", "promptTokenCount")) is not None:
        return _google(used, prompt)
    if (total := number(used, "input_tokens")) is not None:
        return _langchain(used, total)
    return None


def _chat(used: Look, prompt: int) -> Counts | None:
    """OpenAI's chat completions and embeddings: the prompt includes what was cached."""
    output, total = number(used, "completion_tokens"), number(used, "total_tokens")
    if output is None and total is None:
        return None
    if output is None:
        output = max(0, (total or 0) - prompt)
    given, made = look(used("prompt_tokens_details")), look(used("completion_tokens_details"))
    reasoning = number(made, "reasoning_tokens")
    if reasoning and total == prompt + output + reasoning:
        output += reasoning  # xAI counts reasoning beside the completion
    cached = number(given, "cached_tokens")
    if cached is None:
        cached = number(used, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    written = number(given, "cache_write_tokens", "cache_creation_tokens")
    if written is None:
        written = number(used, "cache_creation_input_tokens")
    return {
        "input_tokens": prompt,
        "output_tokens": output,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "reasoning_tokens": reasoning,
        "audio_input_tokens": number(given, "audio_tokens"),
        "audio_output_tokens": number(made, "audio_tokens"),
    }


def _messages(used: Look, fresh: int, response: Look) -> Counts | None:
    """Anthropic's messages, whose input excludes what was cached, and OpenAI's Responses."""
    output = number(used, "output_tokens")
    if output is None:
        return None
    beside = number(used, "cache_read_input_tokens")
    written = number(used, "cache_creation_input_tokens")
    given, made = look(used("input_tokens_details")), look(used("output_tokens_details"))
    searches = number(look(used("server_tool_use")), "web_search_requests")
    return {
        "input_tokens": fresh + (beside or 0) + (written or 0),
        "output_tokens": output,
        "cache_read_tokens": number(given, "cached_tokens") if beside is None else beside,
        "cache_write_tokens": number(given, "cache_write_tokens") if written is None else written,
        "cache_write_1h_tokens": number(look(used("cache_creation")), "ephemeral_1h_input_tokens"),
        "reasoning_tokens": number(made, "reasoning_tokens", "thinking_tokens"),
        "web_searches": _searches(response) if searches is None else searches,
    }


def _google(used: Look, prompt: int) -> Counts:
    """Google's generate_content: candidates exclude thoughts, the prompt excludes tool results."""
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


def _langchain(used: Look, total: int) -> Counts | None:
    """LangChain's messages: totals include their parts."""
    output = number(used, "output_tokens")
    if output is None:
        return None
    given, made = look(used("input_token_details")), look(used("output_token_details"))
    return {
        "input_tokens": total,
        "output_tokens": output,
        "cache_read_tokens": number(given, "cache_read"),
        "cache_write_tokens": number(given, "cache_creation"),
        "reasoning_tokens": number(made, "reasoning"),
        "audio_input_tokens": number(given, "audio"),
        "audio_output_tokens": number(made, "audio"),
    }


def _checked(counts: Counts) -> Usage:
    """Return the counts that are there; totals never less than their parts.

    A provider whose parts exceed its total counts them beside it.
    """
    usage = {name: value for name, value in counts.items() if value}
    given, made = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
    cached = usage.get("cache_read_tokens", 0) + usage.get("cache_write_tokens", 0)
    reasoning = usage.get("reasoning_tokens", 0)
    usage["input_tokens"] = given + cached if cached > given else given
    usage["output_tokens"] = made + reasoning if reasoning > made else made
    return usage


def _searches(response: Look) -> int:
    """Count the web searches among the output items of OpenAI's Responses."""
    calls = [look(item) for item in items(response, "output")]
    return sum(
        call("type") == "web_search_call" and text(look(call("action")), "type") in ("search", None)
        for call in calls
    )


def _audio(used: Look, *names: str) -> int | None:
    """Return the audio tokens among Google's details by modality."""
    for name in names:
        for part in items(used, name):
            get = look(part)
            if text(get, "modality") == "AUDIO":
                return number(get, "token_count", "tokenCount")
    return None
