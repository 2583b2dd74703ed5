"""A wrapped client counts every call, and stays what it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import sdks
from agentmeter_client import Meter
from endpoint import Endpoint

OPENAI = {"input_tokens": 1200, "output_tokens": 80}
CLAUDE = {"input_tokens": 1100, "output_tokens": 80, "cache_read_tokens": 1000}
WORDS: dict[str, Any] = {"model": "gpt-4o", "messages": []}


def recorded(meter: Meter, endpoint: Endpoint) -> list[tuple[object, ...]]:
    assert meter.flush(5)
    calls = [event["data"] for event in endpoint.events.values() if event["type"] == "llm.call"]
    return [(one["provider"], one["model"], one["status"], one.get("usage")) for one in calls]


def test_a_call_counts_and_its_client_stays_itself(meter: Meter, endpoint: Endpoint) -> None:
    client = sdks.OpenAI()
    assert meter.wrap(client, team_id="red") is client
    assert client.chat.completions.create(**WORDS) == sdks.CHAT
    assert recorded(meter, endpoint) == [("openai", "gpt-4o", "success", OPENAI)]
    (event,) = endpoint.events.values()
    assert event["data"]["team_id"] == "red"


def test_wrapping_twice_counts_once(meter: Meter, endpoint: Endpoint) -> None:
    meter.wrap(meter.wrap(sdks.OpenAI())).chat.completions.create(**WORDS)
    assert len(recorded(meter, endpoint)) == 1


def test_a_clients_copies_count_too(meter: Meter, endpoint: Endpoint) -> None:
    meter.wrap(sdks.OpenAI()).with_options(timeout=3).chat.completions.create(**WORDS)
    assert len(recorded(meter, endpoint)) == 1


def test_other_clients_of_the_class_are_not_counted(meter: Meter, endpoint: Endpoint) -> None:
    meter.wrap(sdks.OpenAI())
    sdks.OpenAI().chat.completions.create(**WORDS)
    assert recorded(meter, endpoint) == []


def test_an_error_passes_and_counts(meter: Meter, endpoint: Endpoint) -> None:
    client = meter.wrap(sdks.OpenAI())
    with pytest.raises(RuntimeError, match="slow down"):
        client.chat.completions.create(model="refused", messages=[])
    assert recorded(meter, endpoint) == [("openai", "refused", "error", None)]


def test_the_usage_of_a_stream_is_asked_for_and_kept_back(meter: Meter, endpoint: Endpoint) -> None:
    client = meter.wrap(sdks.OpenAI())
    chunks = list(client.chat.completions.create(**WORDS, stream=True))
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == ["Hel", "lo."]
    assert client.chat.completions.asked[0]["stream_options"] == {"include_usage": True}
    assert recorded(meter, endpoint) == [("openai", "gpt-4o", "success", OPENAI)]


def test_what_the_caller_asked_of_a_stream_is_left_alone(meter: Meter, endpoint: Endpoint) -> None:
    client = meter.wrap(sdks.OpenAI())
    asked = {**WORDS, "stream": True, "stream_options": {"include_usage": True}}
    assert len(list(client.chat.completions.create(**asked))) == 3
    assert recorded(meter, endpoint) == [("openai", "gpt-4o", "success", OPENAI)]


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_awaited_counts(meter: Meter, endpoint: Endpoint, *, stream: bool) -> None:
    client = meter.wrap(sdks.AsyncOpenAI())

    async def work() -> list[Any]:
        answer = await client.chat.completions.create(**WORDS, stream=stream)
        return [chunk async for chunk in answer] if stream else [answer]

    assert len(asyncio.run(work())) == (2 if stream else 1)
    assert recorded(meter, endpoint) == [("openai", "gpt-4o", "success", OPENAI)]


@pytest.mark.parametrize(
    ("client", "provider"),
    [
        (sdks.OpenAI(), "openai"),
        (sdks.OpenAI("https://api.x.ai/v1/"), "x_ai"),
        (sdks.OpenAI("http://127.0.0.1:11434/v1/"), "openai"),
        (sdks.AzureOpenAI("https://proxy.example/"), "azure"),
    ],
)
def test_the_host_or_the_class_names_the_seller(
    meter: Meter, endpoint: Endpoint, client: sdks.OpenAI, provider: str
) -> None:
    meter.wrap(client).chat.completions.create(**WORDS)
    assert recorded(meter, endpoint) == [(provider, "gpt-4o", "success", OPENAI)]


def test_compatible_servers_are_asked_for_nothing_more(meter: Meter) -> None:
    client = meter.wrap(sdks.OpenAI("https://api.x.ai/v1/"))
    list(client.chat.completions.create(**WORDS, stream=True))
    assert "stream_options" not in client.chat.completions.asked[0]


@pytest.mark.parametrize(
    ("client", "provider"),
    [(sdks.Anthropic(), "anthropic"), (sdks.AnthropicBedrock(), "aws.bedrock")],
)
def test_messages_and_their_streams_count(
    meter: Meter, endpoint: Endpoint, client: sdks.Anthropic, provider: str
) -> None:
    meter.wrap(client).messages.create(model="claude-sonnet-4-5")
    with client.messages.stream(model="claude-sonnet-4-5") as stream:
        assert isinstance(stream, sdks.Stream)

    async def work() -> None:
        async with client.messages.stream(model="claude-sonnet-4-5"):
            pass

    asyncio.run(work())
    wanted = (provider, "claude-sonnet-4-5", "success", CLAUDE)
    assert recorded(meter, endpoint) == [wanted] * 3


def test_a_broken_off_stream_of_messages_is_an_error(meter: Meter, endpoint: Endpoint) -> None:
    client = meter.wrap(sdks.Anthropic())
    with pytest.raises(KeyError), client.messages.stream(model="claude-sonnet-4-5"):
        raise KeyError
    assert [one[2] for one in recorded(meter, endpoint)] == ["error"]


@pytest.mark.parametrize(("vertexai", "provider"), [(False, "gcp.gemini"), (True, "gcp.vertex_ai")])
def test_each_round_of_googles_function_calling_counts(
    meter: Meter, endpoint: Endpoint, *, vertexai: bool, provider: str
) -> None:
    client = meter.wrap(sdks.Google(vertexai=vertexai))
    client.models.generate_content(model="gemini-2.5-pro", contents="hi")
    assert recorded(meter, endpoint) == [(provider, "gemini-2.5-pro", "success", OPENAI)] * 2


def test_an_unknown_client_is_left_alone_and_named(
    meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    assert meter.wrap(caplog) is caplog
    assert "cannot wrap" in caplog.text
