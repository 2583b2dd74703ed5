from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from agentmeter_client import LlmCall, Meter
from conftest import QUICK, MakeMeter
from endpoint import Endpoint
from shapes import ANTHROPIC_EVENTS, ANTHROPIC_USAGE, CHUNKS, chat, thing


def arrived(endpoint: Endpoint, meter: Meter, kind: str) -> list[dict[str, Any]]:
    """Return the data of a kind that arrived, without the durations, which must be there."""
    assert meter.flush(5)
    data = [dict(one) for one in endpoint.of(kind)]
    for one in data:
        assert 0 <= one.pop("duration_s") < 5
    return data


CALL = {"provider": "openai", "model": "gpt-4o", "status": "success"}
SAID = {"response_id": "chatcmpl-1", "response_model": "gpt-4o-2024-08-06"}


def test_a_call_says_what_the_response_says(endpoint: Endpoint, meter: Meter) -> None:
    with meter.llm_call("openai", "gpt-4o", deployment="mine", count=1) as call:
        response = thing(chat())
        assert call.read(response) is response
    assert arrived(endpoint, meter, "llm.call") == [
        {
            **CALL,
            **SAID,
            "service_tier": "default",
            "deployment": "mine",
            "count": 1,
            "usage": {"input_tokens": 1200, "output_tokens": 80},
        }
    ]


def test_a_call_without_usage_is_sent_without_usage(endpoint: Endpoint, meter: Meter) -> None:
    with meter.llm_call("openai", "gpt-4o") as call:
        call.read({"id": "chatcmpl-1"})
    assert arrived(endpoint, meter, "llm.call") == [{**CALL, "response_id": "chatcmpl-1"}]


def test_a_model_that_was_not_named_is_the_one_that_answered(
    endpoint: Endpoint, meter: Meter
) -> None:
    with meter.llm_call("openai") as call:
        call.read(chat())
    [data] = arrived(endpoint, meter, "llm.call")
    assert data["model"] == "gpt-4o-2024-08-06"


def test_an_error_passes_and_is_named(endpoint: Endpoint, meter: Meter) -> None:
    with pytest.raises(TimeoutError, match="too long"), meter.llm_call("openai", "gpt-4o"):
        raise TimeoutError("too long")
    assert arrived(endpoint, meter, "llm.call") == [
        {**CALL, "status": "error", "error_type": "TimeoutError"}
    ]


class Unreadable:
    @property
    def usage(self) -> object:
        raise RuntimeError("a lazy field that fails")


def test_an_unreadable_response_hurts_nobody(
    endpoint: Endpoint, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    with meter.llm_call("openai", "gpt-4o") as call:
        call.read(Unreadable())
    assert arrived(endpoint, meter, "llm.call") == [CALL]
    assert "could not read a response" in caplog.text


def test_usage_can_be_set_by_hand(endpoint: Endpoint, meter: Meter) -> None:
    with meter.llm_call("mine", "m") as call:
        call.note(usage={"input_tokens": 5, "output_tokens": 1})
        call.status = "error"
    meter.record_llm_call("mine", "m", {"input_tokens": 50}, count=10)
    assert meter.flush(5)
    by_hand, bulk = endpoint.of("llm.call")
    assert (by_hand["usage"], by_hand["status"]) == (
        {"input_tokens": 5, "output_tokens": 1},
        "error",
    )
    assert (bulk["usage"], bulk["count"]) == ({"input_tokens": 50}, 10)


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


def test_a_stream_that_nobody_reads_ends_when_it_is_freed(endpoint: Endpoint, meter: Meter) -> None:
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


def test_attribution_holds_for_everything_inside(endpoint: Endpoint, meter: Meter) -> None:
    with meter.mission("m-1", team_id="search", team_size=3) as mission:
        with meter.agent_operation("writer", "draft", agent_id="w-7"):
            with meter.attribution(conversation_id="c-9"), meter.llm_call("openai", "gpt-4o"):
                pass
            meter.task("assign")
        mission.note(error="late")
        mission.status = "failed"
    meter.task("after")
    [ended] = arrived(endpoint, meter, "mission.completed")
    assert ended == {
        "team_id": "search",
        "mission_id": "m-1",
        "outcome": "failed",
        "team_size": 3,
        "error": "late",
    }
    everything = {"team_id": "search", "mission_id": "m-1", "agent_type": "writer"}
    everything["agent_id"] = "w-7"
    [call] = arrived(endpoint, meter, "llm.call")
    assert call == {**CALL, **everything, "conversation_id": "c-9"}
    assign, after = endpoint.of("task.operation")
    assert assign == {**everything, "operation": "assign", "status": "success"}
    assert after == {"operation": "after", "status": "success"}


def test_tasks_of_an_event_loop_do_not_see_each_others_attribution(
    endpoint: Endpoint, meter: Meter
) -> None:
    async def work(name: str) -> None:
        async with meter.agent_operation("writer", "draft", agent_id=name):
            await asyncio.sleep(0.01)
            meter.task(name)

    async def use() -> None:
        await asyncio.gather(*(work(f"w-{n}") for n in range(20)))

    asyncio.run(use())
    assert meter.flush(5)
    tasks = endpoint.of("task.operation")
    assert len(tasks) == 20
    assert all(one["agent_id"] == one["operation"] for one in tasks)


def test_a_generator_keeps_its_attribution_to_itself(endpoint: Endpoint, meter: Meter) -> None:
    @meter.agent_operation("writer", "draft")
    def draft() -> Generator[int, str, None]:
        with meter.attribution(team_id="inside"):
            meter.task("before")
            got = yield 1
            meter.task(f"after {got}")

    @meter.agent_operation("reader", "read")
    async def read() -> AsyncIterator[int]:
        meter.task("reading")
        yield 1

    async def use() -> None:
        async for _ in read():
            meter.task("outside too")
            break

    running: Any = draft()
    next(running)
    meter.task("outside")
    with pytest.raises(StopIteration):
        running.send("word")
    asyncio.run(use())
    assert meter.flush(5)
    assert {one["operation"]: one.get("agent_type") for one in endpoint.of("task.operation")} == {
        "before": "writer",
        "outside": None,
        "after word": "writer",
        "reading": "reader",
        "outside too": None,
    }
    assert [one["team_id"] for one in endpoint.of("task.operation") if "team_id" in one] == [
        "inside",
        "inside",
    ]


def test_an_abandoned_scope_of_another_context_is_harmless(meter: Meter) -> None:
    scope = meter.attribution(team_id="x")
    contextvars.copy_context().run(scope.__enter__)
    scope.__exit__()


def test_guards_count_the_agents_at_work(endpoint: Endpoint, meter: Meter) -> None:
    with meter.agent_operation("writer", "draft"), meter.agent_operation("writer", "check"):
        with meter.agent_operation("reader", "read"):
            assert meter.flush(5)
        assert meter.flush(5)
    assert meter.flush(5)
    told = [(one["agent_type"], one["value"]) for one in endpoint.of("agent.active")]
    assert told == [("writer", 2), ("reader", 1), ("reader", 0), ("writer", 0)]
    sources = {e["source"] for e in endpoint.events.values() if e["type"] == "agent.active"}
    assert len(sources) == 1
    assert sources.isdisjoint({"tests"})


def test_http_requests_and_queries_say_how_they_went(endpoint: Endpoint, meter: Meter) -> None:
    with meter.http_request("GET", "/teams/{id}") as request:
        request.status = 404
    with meter.http_request("GET", "/ok"):
        pass
    with pytest.raises(OSError, match="gone"), meter.http_request("POST", "/teams"):
        raise OSError("gone")
    with meter.db_query("select"):
        pass
    requests = arrived(endpoint, meter, "http.request")
    assert [one["status"] for one in requests] == ["404", "200", "500"]
    assert arrived(endpoint, meter, "db.query") == [{"operation": "select", "status": "success"}]


def test_every_other_kind_has_a_method(endpoint: Endpoint, meter: Meter) -> None:
    meter.team_active("active", 3)
    meter.agent_active("writer", 2)
    meter.task_queue("high", 40)
    meter.db_pool("idle", 5)
    meter.cache_ratio("prompt", 0.83)
    meter.cache("get", "hit", count=500)
    meter.error("planner", KeyError("a secret in the text"))
    meter.error("planner", "Timeout", message="took too long")
    meter.error_recovery("retry", "success")
    assert meter.flush(5)
    assert [(event["type"], event["data"]) for event in endpoint.events.values()] == [
        ("team.active", {"status": "active", "value": 3}),
        ("agent.active", {"agent_type": "writer", "value": 2}),
        ("task.queue", {"priority": "high", "value": 40}),
        ("db.pool", {"state": "idle", "value": 5}),
        ("cache.ratio", {"cache_type": "prompt", "value": 0.83}),
        ("cache.operation", {"operation": "get", "result": "hit", "count": 500}),
        ("error", {"component": "planner", "error_type": "KeyError"}),
        ("error", {"component": "planner", "error_type": "Timeout", "message": "took too long"}),
        ("error.recovery", {"recovery_type": "retry", "result": "success"}),
    ]


def test_an_unknown_field_is_left_out_and_named_once(
    endpoint: Endpoint, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    wrong: Any = {"teem_id": "typo"}
    meter.task("a", **wrong)
    meter.task("b", **wrong)
    assert meter.flush(5)
    assert endpoint.of("task.operation")[0] == {"operation": "a", "status": "success"}
    assert caplog.text.count("teem_id") == 1


def test_threads_share_a_meter(endpoint: Endpoint, meter: Meter) -> None:
    def work(number: int) -> None:
        for _ in range(200):
            with meter.llm_call("openai", "gpt-4o", agent_id=str(number)) as call:
                call.read(chat())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls = arrived(endpoint, meter, "llm.call")
    assert len(calls) == 1600
    assert sum(one["usage"]["input_tokens"] for one in calls) == 1600 * 1200


def test_events_without_a_source_are_of_this_process(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/agents/writer.py"])
    with Meter(endpoint.url, "k", limits=QUICK) as first, Meter(endpoint.url, "k") as second:
        first.task("a")
        second.task("a")
    sources = {event["source"] for event in endpoint.events.values()}
    assert len(sources) == 2
    assert all(source.startswith("writer.py@") for source in sources)


def test_events_know_the_span_that_they_belong_to(
    endpoint: Endpoint, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    span = SimpleNamespace(is_valid=True, trace_id=0xABC, span_id=0xDEF, trace_flags=1)
    module: Any = ModuleType("opentelemetry.trace")
    module.get_current_span = lambda: SimpleNamespace(get_span_context=lambda: span)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", module)
    meter.task("inside")
    span.is_valid = False
    meter.task("outside")
    del module.get_current_span
    meter.task("half imported")
    assert meter.flush(5)
    assert [event.get("traceparent") for event in endpoint.events.values()] == [
        f"00-{0xABC:032x}-{0xDEF:016x}-01",
        None,
        None,
    ]


def test_the_real_opentelemetry_names_the_span(endpoint: Endpoint, meter: Meter) -> None:
    pytest.importorskip("opentelemetry.sdk.trace", reason="the OpenTelemetry SDK is not installed")
    from opentelemetry.sdk.trace import TracerProvider

    with TracerProvider().get_tracer("tests").start_as_current_span("work") as span:
        context = span.get_span_context()
        with meter.llm_call("openai", "gpt-4o"):
            pass
    assert meter.flush(5)
    [event] = endpoint.events.values()
    trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    assert event["traceparent"] == f"00-{trace_id}-{span_id}-{context.trace_flags:02x}"


def test_a_call_can_be_passed_around(make_meter: MakeMeter, endpoint: Endpoint) -> None:
    meter = make_meter()

    def finish(call: LlmCall) -> None:
        call.read(chat())

    with meter.llm_call("openai", "gpt-4o") as call:
        finish(call)
    assert arrived(endpoint, meter, "llm.call")[0]["usage"]["input_tokens"] == 1200
