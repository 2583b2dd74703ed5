"""Calls a function as Azure's worker does, and stores what it puts out before it says done."""

import asyncio
import logging
import secrets
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import azure.functions as func

from shared.errors import GiveUp
from standin.functions_host.index import AnyFunction
from standin.functions_host.insights import Insights, Running
from standin.functions_host.queues import Queues

log = logging.getLogger("agentmeter.host")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The span that the host started for this invocation, in W3C's form."""

    trace_parent: str
    trace_state: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class RetryContext:
    """Which attempt this is; this host has no retry policies."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: object = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a function gets as `context`: the shape of azure.functions.Context."""

    invocation_id: str
    function_name: str
    function_directory: str
    thread_local_storage: threading.local
    trace_context: TraceContext
    retry_context: RetryContext


class _Out(func.Out[object]):
    """An output parameter."""

    def __init__(self) -> None:
        self._value: object = None

    def set(self, val: object) -> None:
        self._value = val

    def get(self) -> object:
        return self._value


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One invocation to make.

    argument: makes the trigger's argument. finish: turns what was returned into the result.
    Both run inside the invocation: if either raises, it fails and nothing is put out. Where an
    output is refused, those before it are in their queues already, as in Azure.
    trace_parent, trace_state: the caller's, or "". status: the HTTP status of the result, 0 for
    what has none. id: of the invocation.
    """

    function: AnyFunction
    argument: Callable[[], object]
    finish: Callable[[object], T]
    trace_parent: str = ""
    trace_state: str = ""
    status: Callable[[T], int] = lambda result: 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The function returned, and its outputs are stored."""

    result: T


@dataclass(frozen=True, slots=True)
class Failed:
    """The function failed and put out nothing. error: for the log."""

    error: str


class Invoker:
    """Runs invocations in the calling thread; coroutines run on one loop of its own."""

    def __init__(self, queues: Queues, insights: Insights) -> None:
        self._queues = queues
        self._insights = insights
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="functions-loop", daemon=True
        )
        self._thread.start()

    def run(self, call: Call[T]) -> Done[T] | Failed:
        """Make the invocation. A failure is logged in one line, and never raised."""
        running = self._begin(call)
        try:
            result = self._attempt(call, running)
        except Exception as exc:  # noqa: BLE001 - _failed() logs it
            return self._failed(running, exc)
        self._insights.end(running, call.status(result), None)
        return Done(result)

    async def forward(self, call: Call[T]) -> Done[T] | Failed:
        """Make the invocation of an async function on the loop that serves HTTP; as run()."""
        running = self._begin(call)
        try:
            arguments = self._arguments(call, running)
            coroutine: Any = call.function.handler(**arguments)
            result = call.finish(await coroutine)
        except Exception as exc:  # noqa: BLE001 - _failed() logs it
            return self._failed(running, exc)
        self._insights.end(running, call.status(result), None)
        return Done(result)

    def _begin(self, call: Call[T]) -> Running:
        trace_parent = span_in(call.trace_parent)
        return self._insights.begin(call.id, call.function.name, trace_parent, call.trace_parent)

    def _failed(self, running: Running, exc: Exception) -> Failed:
        self._insights.end(running, 0, exc)
        error = " ".join(f"{type(exc).__name__}: {exc}".split())
        log.error("%s failed, invocation %s: %s", running.function, running.id, error)
        log.debug("%s, invocation %s", running.function, running.id, exc_info=exc)
        return Failed(error)

    def close(self) -> None:
        """End the loop; coroutines still at work are dropped."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _arguments(self, call: Call[T], running: Running) -> dict[str, object]:
        """Return what the function gets beside its outputs."""
        function = call.function
        arguments = {function.parameter: call.argument()}
        if function.signature.wants_context:
            arguments["context"] = self._context(call, running)
        return arguments

    def _attempt(self, call: Call[T], running: Running) -> T:
        function = call.function
        outs = {out.parameter: _Out() for out in function.outputs if out.parameter != "$return"}
        arguments = {**self._arguments(call, running), **outs}
        returned = self._value(function, arguments)
        if returned is not None and not function.signature.has_return:
            raise RuntimeError(
                f"function {function.name!r} without a $return binding returned a non-None value"
            )
        result = call.finish(returned)
        values = {name: out.get() for name, out in outs.items()} | {"$return": returned}
        for out in function.outputs:
            for body in messages(values[out.parameter]):
                self._queues.put(out.queue, body)  # one by one: those before a failure stay
        return result

    def _value(self, function: AnyFunction, arguments: Mapping[str, object]) -> object:
        if not function.signature.is_async:
            return function.handler(**arguments)
        coroutine: Any = function.handler(**arguments)
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _context(self, call: Call[T], running: Running) -> Context:
        return Context(
            invocation_id=running.id,
            function_name=call.function.name,
            function_directory=str(Path.cwd()),
            thread_local_storage=self._insights.threads,
            trace_context=TraceContext(running.trace_parent, call.trace_state),
            retry_context=RetryContext(),
        )


def span_in(trace_parent: str) -> str:
    """Return a new span's traceparent in the caller's trace, or in a new one if it names none."""
    parts = trace_parent.split("-")
    if len(parts) == 4 and len(parts[1]) == 32 and len(parts[3]) == 2:
        return f"00-{parts[1]}-{secrets.token_hex(8)}-{parts[3]}"
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def messages(value: object) -> list[str | bytes]:
    """Return the queue messages that an output's value stands for, byte for byte.

    Raises:
        GiveUp: Azure's host would rewrite or split it, so that it must not work here either.
    """
    match value:
        case None:
            return []
        case bytes():
            return [value]
        case str() if not _looks_like_json(value):
            return [value]
        case list() | tuple():
            return [_text(item) for item in cast("Sequence[object]", value)]
        case _:
            raise GiveUp(
                f"a queue output was set to {type(value).__name__} that Azure's host would parse "
                "and write anew. Annotate func.Out[bytes] for one message, or "
                "func.Out[typing.List[str]] for several."
            )


def _text(item: object) -> str:
    if isinstance(item, str):
        return item
    raise GiveUp(f"invalid data type in output queue message list: {type(item)}. Use str.")


def _looks_like_json(text: str) -> bool:
    return text.strip()[:1] + text.strip()[-1:] in ("{}", "[]")
