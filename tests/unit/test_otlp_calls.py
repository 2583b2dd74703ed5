"""The event that one and the same call becomes, whatever instrumentation tells of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Scalar, Span
from shared.events.types import LlmCall
from tests.conventions import (
    AGENT_FRAMEWORK,
    AZURE_INFERENCE,
    LOGFIRE,
    OPENAI_1_3,
    OPENAI_V2,
    OPENINFERENCE,
    OPENLIT,
    OPENLLMETRY_NEW,
    OPENLLMETRY_OLD,
    PYDANTIC_AI,
)
from tests.fakes import START
from tests.spans import CHAT, span


def calls(*spans: Span) -> list[LlmCall]:
    reading = read_spans(spans, START, 0)
    assert reading.refused == ()
    events = [event for parcel in reading.parcels for event in parcel.events]
    return [event.data for event in events if isinstance(event.data, LlmCall)]


def call(attributes: Mapping[str, Scalar], **given: Any) -> LlmCall:
    (found,) = calls(span(attributes, **given))
    return found


WHOLE = {"input_tokens": 1200, "output_tokens": 80}
CACHED = WHOLE | {"cache_read_tokens": 1024}
REASONED = CACHED | {"reasoning_tokens": 30}


@pytest.mark.parametrize(
    ("attributes", "provider", "usage"),
    [
        pytest.param(OPENAI_1_3, "openai", REASONED, id="genai-openai"),
        pytest.param(OPENAI_V2, "openai", WHOLE, id="openai-v2"),
        pytest.param(OPENLLMETRY_OLD, "OpenAI", CACHED, id="openllmetry-0.40"),
        pytest.param(OPENLLMETRY_NEW, "openai", REASONED, id="openllmetry-0.62"),
        pytest.param(OPENINFERENCE, "openai", REASONED, id="openinference"),
        pytest.param(OPENLIT, "openai", CACHED, id="openlit"),
        pytest.param(LOGFIRE, "openai", REASONED, id="logfire"),
        pytest.param(PYDANTIC_AI, "openai", REASONED, id="pydantic-ai"),
        pytest.param(AZURE_INFERENCE, "azure", WHOLE, id="azure-ai-inference"),
        pytest.param(AGENT_FRAMEWORK, "openai", WHOLE, id="agent-framework"),
    ],
)
def test_every_convention_says_the_same_call(
    attributes: Mapping[str, Scalar], provider: str, usage: dict[str, int]
) -> None:
    found = call(attributes)
    assert (found.provider, found.response_id) == (provider, "chatcmpl-1")
    assert "gpt-4o-2024-08-06" in (found.model, found.response_model)
    assert found.usage is not None
    assert {name: count for name, count in found.usage.model_dump().items() if count} == usage
    assert (found.status, found.duration_s, found.operation) == ("success", 1.5, "chat")


ANTHROPIC = {
    "server.address": "api.anthropic.com",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "http.request.method": "POST",
    "gen_ai.usage.input_tokens": 1400,
    "gen_ai.response.id": "msg_1",
    "gen_ai.usage.cache_write.input_tokens": 300,
    "gen_ai.usage.cache_read.input_tokens": 1000,
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 200,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 100,
    "anthropic.response.service_tier": "standard",
    "gen_ai.usage.output_tokens": 80,
}
CLAUDE = {
    "input_tokens": 1400,
    "output_tokens": 80,
    "cache_read_tokens": 1000,
    "cache_write_tokens": 300,
}


def without_cache(**more: Scalar) -> dict[str, Scalar]:
    """Return a Claude call whose input is stated as Anthropic's API does, cached tokens apart."""
    return {
        **{name: value for name, value in ANTHROPIC.items() if not name.startswith("anthropic.")},
        "gen_ai.usage.input_tokens": 100,
        **more,
    }


SMALL = {"gen_ai.usage.input_tokens": 5000}


@pytest.mark.parametrize(
    ("attributes", "scope", "usage"),
    [
        pytest.param(ANTHROPIC, "x", CLAUDE | {"cache_write_1h_tokens": 100}, id="own"),
        pytest.param(without_cache(), "x", CLAUDE, id="more-cached-than-input"),
        pytest.param(
            without_cache(**SMALL), "x", CLAUDE | {"input_tokens": 5000}, id="cache-included"
        ),
        pytest.param(
            without_cache(**SMALL, **{"gen_ai.usage.total_tokens": 6380}),
            "x",
            CLAUDE | {"input_tokens": 6300},
            id="total-includes-cache",
        ),
        pytest.param(
            without_cache(**SMALL),
            "openlit.instrumentation.anthropic",
            CLAUDE | {"input_tokens": 6300},
            id="openlit",
        ),
    ],
)
def test_cached_tokens_are_part_of_the_input_the_one_who_counts(
    attributes: Mapping[str, Scalar], scope: str, usage: dict[str, int]
) -> None:
    found = call(attributes, scope=scope).usage
    assert found is not None
    assert {name: count for name, count in found.model_dump().items() if count} == usage


def test_a_contradiction_costs_the_part_and_not_the_event_and_is_said() -> None:
    odd = {**CHAT, "gen_ai.usage.cache_read.input_tokens": 1001, "gen_ai.usage.output_tokens": -1}
    reading = read_spans([span(odd)], START, 0)
    (event,) = reading.parcels[0].events
    assert isinstance(event.data, LlmCall)
    assert event.data.usage is not None
    assert event.data.usage.cache_read_tokens == event.data.usage.input_tokens == 1000
    assert reading.corrected == (
        "chat gpt-4o: output_tokens -1 is no count of tokens and was left out",
        "chat gpt-4o: cache_read_tokens 1001 was cut to input_tokens 1000",
    )


def test_thoughts_that_gemini_counts_apart_are_output() -> None:
    apart = {"gen_ai.request.model": "gemini-2.5-pro", "gen_ai.usage.reasoning_tokens": 400}
    found = call({**CHAT, **apart}).usage
    assert found is not None
    assert (found.output_tokens, found.reasoning_tokens) == (500, 400)


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param({}, id="none"),
        pytest.param({"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}, id="zeros"),
    ],
)
def test_a_stream_without_counts_has_no_usage(counts: dict[str, Scalar]) -> None:
    found = call({k: v for k, v in CHAT.items() if "usage" not in k} | counts)
    assert found.usage is None


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("my.openai.azure.com", "azure"),
        ("hub.cognitiveservices.azure.com", "azure"),
        ("https://hub.services.ai.azure.com/api/", "azure"),
        ("api.groq.com:443", "groq"),
        ("openai.azure.com.evil.example", "openai"),
        ("127.0.0.1", "openai"),
    ],
)
def test_the_host_says_who_answered(address: str, provider: str) -> None:
    assert call({**CHAT, "server.address": address}).provider == provider


def test_what_azure_is_asked_for_is_a_deployment() -> None:
    found = call({**CHAT, "server.address": "my.openai.azure.com", "gen_ai.request.model": "prod"})
    assert (found.provider, found.deployment, found.model) == ("azure", "prod", "prod")


def test_the_senders_own_cost_is_kept_apart_and_never_as_zero() -> None:
    assert call({**CHAT, "operation.cost": 0.5}).cost_usd is not None
    assert call(OPENLIT).cost_usd is None


def test_a_failed_call_names_its_error_and_its_model() -> None:
    failed = {"llm.invocation_parameters": '{"model": "gpt-4o"}', "openinference.span.kind": "LLM"}
    found = call(failed, failed=True)
    assert (found.status, found.model, found.error_type) == ("error", "gpt-4o", "error")
    assert call({**CHAT, "error.type": "429"}).error_type == "429"


def test_a_call_of_no_one_knows_what_is_counted_all_the_same() -> None:
    found = call({"gen_ai.operation.name": "chat"})
    assert (found.provider, found.model, found.usage) == ("unknown", "unknown", None)


@pytest.mark.parametrize(
    "operation", ["fetch_response", "unknown", "invoke_workflow", "execute_tool", "plan"]
)
def test_what_repeats_the_tokens_of_others_is_no_call(operation: str) -> None:
    assert calls(span({**CHAT, "gen_ai.operation.name": operation})) == []


def test_an_operation_of_tomorrow_is_a_call_if_it_counts_tokens_of_a_model() -> None:
    assert call({**CHAT, "gen_ai.operation.name": "sing"}).operation == "sing"


STREAM = {name: value for name, value in LOGFIRE.items() if "usage" not in name}
STREAM.pop("gen_ai.response.id")


def test_a_stream_of_logfires_is_one_call_though_it_is_two_spans() -> None:
    log = {**STREAM, "logfire.span_type": "log", "duration": 0.25, "gen_ai.usage.input_tokens": 7}
    (found,) = calls(span(STREAM, 1), span(log, 2))
    assert found.usage is not None
    assert (found.usage.input_tokens, found.duration_s) == (7, 0.25)


def test_a_stream_of_logfires_that_failed_is_reported_by_its_span() -> None:
    assert [c.status for c in calls(span(STREAM, failed=True))] == ["error"]
