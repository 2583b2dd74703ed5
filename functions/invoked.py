"""Runs a trigger inside its invocation: traced, its calls recorded, and these sent at its end."""

import functools
import gc
import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import azure.functions as func
from opentelemetry import context as otel
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from shared.invocation import Invocation, Span, read_traceparent, running
from shared.wiring import App

Trigger = Callable[..., Any]


def invoked(app: Callable[[], App]) -> Callable[[Trigger], Trigger]:
    """Return a decorator, the innermost one, that asks the host for its context."""

    def decorate(trigger: Trigger) -> Trigger:
        @functools.wraps(trigger)
        def run(*, context: func.Context, **given: object) -> object:
            with inside(context, app):
                return trigger(**given)

        run.__annotations__["context"] = func.Context
        cast(Any, run).__signature__ = _with_context(trigger)
        return run

    return decorate


@contextmanager
def inside(context: func.Context, app: Callable[[], App]) -> Generator[None]:
    """Do the work of an invocation: in its trace, and what it recorded is sent at its end."""
    invocation = _invocation(context, app)
    # The worker attaches the trace to its event loop, not to the thread of a sync function.
    token = otel.attach(_remote(invocation.span))
    try:
        with running(invocation):
            yield
    finally:
        otel.detach(token)
        if invocation.calls or invocation.faults:
            app().telemetry.send(invocation)
        _settle(invocation.function)


@functools.cache
def _settle(function: str) -> None:
    """End the cold start of a function, once in a process.

    What its first call has loaded (modules, prices, the SDK) stays for good. Else the collector
    walks over it again and again: a quarter of the time that a batch of 1,000 events takes.
    """
    gc.freeze()


def _invocation(context: func.Context, app: Callable[[], App]) -> Invocation:
    """Read what the host says of the call."""
    return Invocation(
        function=context.function_name,
        id=context.invocation_id,
        span=read_traceparent(context.trace_context.trace_parent or ""),
        now=lambda: app().clock.now(),
        adopt=partial(_adopt, context),
    )


def _adopt(context: func.Context) -> None:
    """Let the worker know whose the log lines of this thread are."""
    cast(Any, context.thread_local_storage).invocation_id = context.invocation_id


def _remote(span: Span) -> otel.Context:
    """Return the host's span as OpenTelemetry's current one."""
    ids = int(span.trace_id or "0", 16), int(span.span_id or "0", 16)
    remote = SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(remote))


def _with_context(trigger: Trigger) -> inspect.Signature:
    """Return the trigger's signature with `context`, by which the worker knows to give it."""
    signature = inspect.signature(trigger)
    wanted = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=func.Context)
    return signature.replace(parameters=[*signature.parameters.values(), wanted])
