from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agentmeter_client import Meter
from endpoint import Endpoint, arrived
from shapes import ANTHROPIC_EVENTS, ANTHROPIC_USAGE, CALL, CHUNKS, chat


class Stream:
    """As the SDKs have them: iterable, closable, with fields of its own."""

    response = "the raw response"

    def __init__(self, chunks: list[Any]) -> None:
        self._left = iter(chunks)
        self.closed = False

    def __iter__(self) -> Iterator[Any]:
        yield from self._left

    def __next__(self) -> Any:
        return next(self._left)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


async def astream(chunks: list[Any]) -> AsyncIterator[Any]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


USED = {"input_tokens": 10, "output_tokens": 2}


def test_a_stream_passes_through_and_is_counted(endpoint: Endpoint, meter: Meter) -> None:
    with meter.llm_call("openai", "gpt-4o") as call:
        stream = call.stream(Stream(CHUNKS))
        assert stream.response == "the raw response"
        with stream as entered:
            assert list(entered) == CHUNKS
        assert stream.closed
    [data] = arrived(endpoint, meter, "llm.call")
    assert (data["usage"], data["response_id"]) == (USED, "chatcmpl-2")


def test_a_stream_broken_off_counts_without_usage(endpoint: Endpoint, meter: Meter) -> None:
    with meter.llm_call("openai", "gpt-4o") as call:
        for _ in call.stream(Stream(CHUNKS)):
            break
    [data] = arrived(endpoint, meter, "llm.call")
    assert "usage" not in data


def test_a_stream_that_leaves_its_block_ends_the_call(endpoint: Endpoint, meter: Meter) -> None:
    def ask() -> Stream:
        with meter.llm_call("anthropic", "claude") as call:
            return call.stream(Stream(ANTHROPIC_EVENTS))

    stream = ask()
    assert arrived(endpoint, meter, "llm.call") == []
    assert len(list(stream)) == 4
    [data] = arrived(endpoint, meter, "llm.call")
    assert data["usage"] == ANTHROPIC_USAGE


def test_a_stream_that_no_one_reads_ends_when_it_is_freed(endpoint: Endpoint, meter: Meter) -> None:
    with meter.llm_call("openai", "gpt-4o") as call:
        stream = call.stream(Stream(CHUNKS))
    del stream, call
    gc.collect()
    assert arrived(endpoint, meter, "llm.call") == [CALL]


def test_a_stream_that_fails_is_an_error(endpoint: Endpoint, meter: Meter) -> None:
    def failing() -> Iterator[Any]:
        yield CHUNKS[0]
        raise ConnectionError("cut")

    @meter.llm_call("openai", "gpt-4o")
    def ask() -> Iterator[Any]:
        return failing()

    with pytest.raises(ConnectionError):
        list(ask())
    [data] = arrived(endpoint, meter, "llm.call")
    assert (data["status"], data["error_type"]) == ("error", "ConnectionError")


def test_decorators_fit_every_kind_of_function(endpoint: Endpoint, meter: Meter) -> None:
    guard = meter.llm_call("openai", "gpt-4o")

    @guard
    def answer() -> Any:
        return chat()

    @guard
    async def answer_later() -> Any:
        return chat()

    @guard
    def yields() -> Iterator[Any]:
        yield from CHUNKS

    @guard
    async def yields_later() -> AsyncIterator[Any]:
        async for chunk in astream(CHUNKS):
            yield chunk

    @guard
    def returns_stream() -> Stream:
        return Stream(CHUNKS)

    async def use() -> int:
        first = await asyncio.gather(*(answer_later() for _ in range(3)))
        return len(first) + len([chunk async for chunk in yields_later()])

    assert answer.__name__ == "answer"
    assert answer()["id"] == "chatcmpl-1"
    assert list(yields()) == CHUNKS
    assert len(list(returns_stream())) == 3
    assert asyncio.run(use()) == 6
    used = sorted(one["usage"]["input_tokens"] for one in arrived(endpoint, meter, "llm.call"))
    assert used == [10, 10, 10, 1200, 1200, 1200, 1200]


def test_an_async_stream_is_counted(endpoint: Endpoint, meter: Meter) -> None:
    async def use() -> list[Any]:
        async with meter.llm_call("openai", "gpt-4o") as call:
            return [chunk async for chunk in call.stream(astream(CHUNKS))]

    assert asyncio.run(use()) == CHUNKS
    [data] = arrived(endpoint, meter, "llm.call")
    assert data["usage"] == USED


def test_a_cancelled_task_is_no_failure(endpoint: Endpoint, meter: Meter) -> None:
    async def use() -> None:
        async def work() -> None:
            async with meter.agent_operation("writer", "draft"):
                await asyncio.sleep(30)

        task = asyncio.create_task(work())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await meter.aflush(5)

    asyncio.run(use())
    [data] = arrived(endpoint, meter, "agent.operation")
    assert data["status"] == "cancelled"
