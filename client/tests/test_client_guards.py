from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from agentmeter_client import LlmCall, Meter
from conftest import QUICK, MakeMeter
from endpoint import Endpoint, arrived
from shapes import CALL, chat, thing

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


def test_an_unreadable_response_hurts_no_one(
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


def test_guards_count_the_agents_at_work(endpoint: Endpoint, meter: Meter) -> None:
    with meter.agent_operation("writer", "draft"), meter.agent_operation("writer", "check"):
        with meter.agent_operation("reader", "read"):
            assert meter.flush(5)
        assert meter.flush(5)
    assert meter.flush(5)
    sent = [(one["agent_type"], one["value"]) for one in endpoint.of("agent.active")]
    assert sent == [("writer", 2), ("reader", 1), ("reader", 0), ("writer", 0)]
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
