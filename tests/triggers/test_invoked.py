"""A trigger runs inside its invocation, whose trace a sync function does not have by itself."""

import gc
import inspect
import threading
from collections.abc import Iterator
from typing import cast

import azure.functions as func
import pytest
from opentelemetry import trace

from functions.invoked import invoked
from shared.invocation import Place, Span, here, posting
from shared.usecases.telemetry import Telemetry
from shared.wiring import App
from standin.functions_host.invoke import Context, RetryContext, TraceContext
from tests.fakes import START, FakeClock, FakeExporter

HOST = Span("a" * 32, "b" * 16)


def context(function: str, trace_parent: str = HOST.traceparent) -> func.Context:
    given = Context(
        *("i-1", function, "/", threading.local()),
        *(TraceContext(trace_parent, ""), RetryContext()),
    )
    return cast(func.Context, given)


def never() -> App:
    raise AssertionError("nothing was called, so there is nothing to send")


class Warm:
    """As much of the app as an invocation needs to tell of itself."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.exporter = FakeExporter()
        self.telemetry = Telemetry(lambda: self.exporter)


def test_opentelemetry_and_our_log_lines_are_in_the_hosts_trace_and_only_for_so_long() -> None:
    seen: list[tuple[Place | None, trace.SpanContext]] = []

    @invoked(never)
    def work(message: str) -> str:
        seen.append((here(), trace.get_current_span().get_span_context()))
        return message.upper()

    assert work(message="done", context=context("work")) == "DONE"
    ((place, remote),) = seen
    assert place is not None
    assert (place.span, place.invocation.function) == (HOST, "work")
    assert (f"{remote.trace_id:032x}", f"{remote.span_id:016x}") == (HOST.trace_id, HOST.span_id)
    assert here() is None
    assert not trace.get_current_span().get_span_context().is_valid


def test_the_worker_sees_a_context_parameter_beside_the_triggers_own() -> None:
    @invoked(never)
    def work(message: func.QueueMessage) -> None: ...

    assert list(inspect.signature(work).parameters) == ["message", "context"]


def test_without_a_trace_of_the_host_all_works() -> None:
    @invoked(never)
    def work() -> str:
        return "done"

    assert work(context=context("work", "")) == "done"


def test_calls_are_sent_even_when_the_function_fails_and_the_failure_is_raised_on() -> None:
    warm = Warm()

    @invoked(lambda: cast(App, warm))
    def work() -> None:
        with posting("http://x/y") as call:
            call.answered(503)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        work(context=context("work"))
    (row,) = warm.exporter.span_rows
    assert (row.failed, row.trace_id, row.time) == (True, HOST.trace_id, START)


def test_what_the_first_call_of_a_function_loaded_is_left_alone_by_the_collector() -> None:
    @invoked(never)
    def work() -> None: ...

    gc.unfreeze()
    work(context=context("a-function-of-this-test"))
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    work(context=context("a-function-of-this-test"))
    assert gc.get_freeze_count() == 0


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()
