"""Reads what a model call used from the response objects and dicts of any provider.

Input and output are totals, as agentmeter wants them: with cached tokens, with reasoning. What a
response does not say is left out, never guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agentmeter_client.fields import Look, items, look, number, text
from agentmeter_client.reconcile import MAX_CALL_TOKENS, Reported, reconcile

_TRAFFIC = ("traffic_type", "trafficType")
_BY_ANSWER = re.compile(r"gemini-[12]\b")
Usage = dict[str, int]
Counts = dict[str, "int | None"]


class Used(NamedTuple):
    """The tokens of a call, and the names of those that may be wrong."""

    usage: Usage
    doubts: tuple[str, ...] = ()


class Reading(NamedTuple):
    """What a response says about its call; None where it is silent."""

    usage: Usage | None = None
    response_id: str | None = None
    response_model: str | None = None
    service_tier: str | None = None
    doubts: tuple[str, ...] | None = None


def read(response: object) -> Reading:
    """Return what the response says.

    OpenAI's chat completions, Responses and embeddings, and who copies them; Anthropic's messages;
    Azure AI Inference; Google's generate_content; messages of LangChain.
    """
    get = look(response)
    about = get("response_metadata")
    if about is not None:  # LangChain's own id of a message is none of the provider's
        return _langchain_reading(get, look(about))
    model = text(get, "model", "model_version", "modelVersion")
    used = used_in(get, model)
    return Reading(
        used and used.usage,
        text(get, "id", "response_id", "responseId"),
        model,
        _tier(get),
        (used and used.doubts) or None,
    )


def used_in(get: Look, model: str | None) -> Used | None:
    """Return the tokens of a response of that model, None where it does not say."""
    if (used := get("usage")) is not None:
        reported = _openai_or_anthropic(look(used), get)
    elif (used := get("usage_metadata") or get("usageMetadata")) is not None:
        reported = _google_or_langchain(look(used), get, model or "")
    else:
        return None
    return reported and _reconciled(reported._replace(model=model or ""))


def _tier(get: Look) -> str | None:
    """Return the tier; Anthropic states its faster mode beside it, Google calls it traffic."""
    used = look(get("usage"))
    if text(used, "speed") == "fast":
        return "fast"
    traffic = text(look(get("usage_metadata") or get("usageMetadata")), *_TRAFFIC)
    return text(get, "service_tier") or text(used, "service_tier") or traffic


def _langchain_reading(get: Look, about: Look) -> Reading:
    """Read a message of LangChain, which keeps what the provider said apart."""
    model = text(about, "model_name", "model")
    used = used_in(get, model)
    return Reading(
        used and used.usage,
        text(about, "id"),
        model,
        text(about, "service_tier"),
        (used and used.doubts) or None,
    )


def _openai_or_anthropic(used: Look, response: Look) -> Reported | None:
    """Distinguish two shapes of `usage` by their names."""
    if (prompt := number(used, "prompt_tokens")) is not None:
        return _chat(used, prompt)
    if number(used, "input_tokens") is not None:
        return _messages(used, response)
    return None


def _google_or_langchain(used: Look, response: Look, model: str) -> Reported | None:
    """Distinguish two shapes of `usage_metadata` by their names."""
    if (prompt := number(used, "prompt_token_count", "promptTokenCount")) is not None:
        return _google(used, prompt, _grounded(response, model))
    if (total := number(used, "input_tokens")) is not None:
        return _langchain(used, total)
    return None


def _chat(used: Look, prompt: int) -> Reported | None:
    """OpenAI's chat completions and embeddings: the prompt includes what was cached."""
    output, total = number(used, "completion_tokens"), number(used, "total_tokens")
    if output is None and total is None:
        return None
    given, made = look(used("prompt_tokens_details")), look(used("completion_tokens_details"))
    cached = number(given, "cached_tokens")
    if cached is None:
        cached = number(used, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    written = number(given, "cache_write_tokens", "cache_creation_tokens")
    if written is None:
        written = number(used, "cache_creation_input_tokens")
    counts = {
        "input_tokens": prompt,
        "output_tokens": output,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "reasoning_tokens": number(made, "reasoning_tokens"),
        "audio_input_tokens": number(given, "audio_tokens"),
        "audio_output_tokens": number(made, "audio_tokens"),
        "web_searches": number(look(used("server_side_tool_usage_details")), "web_search_calls"),
    }
    return Reported(_stated(counts), total)


def _messages(used: Look, response: Look) -> Reported | None:
    """Anthropic's messages, whose input excludes what was cached, and OpenAI's Responses."""
    if number(used, "output_tokens") is None:
        return None
    given, made = look(used("input_tokens_details")), look(used("output_tokens_details"))
    beside = number(used, "cache_read_input_tokens")
    written = number(used, "cache_creation_input_tokens")
    searches = number(look(used("server_tool_use")), "web_search_requests")
    # What the API leaves out of its totals, such as a compaction, is billed all the same.
    steps = [look(step) for step in items(used, "iterations")] or [used]
    counts = {
        "input_tokens": _sum(steps, "input_tokens"),
        "output_tokens": _sum(steps, "output_tokens"),
        "cache_read_tokens": number(given, "cached_tokens")
        if beside is None
        else _sum(steps, "cache_read_input_tokens"),
        "cache_write_tokens": number(given, "cache_write_tokens")
        if written is None
        else _sum(steps, "cache_creation_input_tokens"),
        "cache_write_1h_tokens": number(look(used("cache_creation")), "ephemeral_1h_input_tokens"),
        "reasoning_tokens": number(made, "reasoning_tokens", "thinking_tokens"),
        "web_searches": _searches(response) if searches is None else searches,
    }
    is_beside = beside is not None or written is not None
    return Reported(
        _stated(counts), number(used, "total_tokens"), cache="beside" if is_beside else ""
    )


def _sum(steps: list[Look], name: str) -> int:
    return sum(number(step, name) or 0 for step in steps)


def _grounded(response: Look, model: str) -> int:
    """Count the searches of Google; up to Gemini 2.5 a grounded answer is one."""
    queries = 0
    for candidate in items(response, "candidates"):
        get = look(candidate)
        about = look(get("grounding_metadata") or get("groundingMetadata"))
        queries += len(items(about, "web_search_queries") or items(about, "webSearchQueries"))
    return min(queries, 1) if _BY_ANSWER.search(model) else queries


def _google(used: Look, prompt: int, searches: int) -> Reported:
    """Google's generate_content: candidates exclude thoughts, the prompt excludes tool results."""
    tools = number(used, "tool_use_prompt_token_count", "toolUsePromptTokenCount") or 0
    counts = {
        "input_tokens": prompt + tools,
        "output_tokens": number(used, "candidates_token_count", "candidatesTokenCount") or 0,
        "cache_read_tokens": number(used, "cached_content_token_count", "cachedContentTokenCount"),
        "reasoning_tokens": number(used, "thoughts_token_count", "thoughtsTokenCount"),
        "audio_input_tokens": _audio(used, "prompt_tokens_details", "promptTokensDetails"),
        "audio_output_tokens": _audio(used, "candidates_tokens_details", "candidatesTokensDetails"),
        "web_searches": searches or None,
    }
    total = number(used, "total_token_count", "totalTokenCount")
    return Reported(_stated(counts), total, reasoning="beside")


def _langchain(used: Look, whole: int) -> Reported | None:
    """LangChain's messages: totals include their parts."""
    output = number(used, "output_tokens")
    if output is None:
        return None
    given, made = look(used("input_token_details")), look(used("output_token_details"))
    counts = {
        "input_tokens": whole,
        "output_tokens": output,
        "cache_read_tokens": number(given, "cache_read"),
        "cache_write_tokens": number(given, "cache_creation"),
        "reasoning_tokens": number(made, "reasoning"),
        "audio_input_tokens": number(given, "audio"),
        "audio_output_tokens": number(made, "audio"),
    }
    total = number(used, "total_tokens")
    return Reported(_stated(counts), total, cache="inside", reasoning="inside")


def _stated(counts: Counts) -> Usage:
    """Return the counts that are there, input and output even if they are 0."""
    totals = ("input_tokens", "output_tokens")
    return {k: v for k, v in counts.items() if v or (v == 0 and k in totals)}


def _reconciled(reported: Reported) -> Used:
    """Return totals that include their parts; an absurd count is left out, and in doubt."""
    absurd = tuple(name for name, count in reported.counts.items() if count > MAX_CALL_TOKENS)
    counts = {name: count for name, count in reported.counts.items() if name not in absurd}
    found = reconcile(reported._replace(counts=counts))
    usage = counts if found.counts is None else found.counts
    return Used(usage, tuple(dict.fromkeys((*absurd, *found.doubts))))


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
