"""Exports to Azure Monitor what the Functions host exports: requests, log lines and failures."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

from shared.clock import Clock
from shared.invocation import Span, read_traceparent

ROLE = "agentmeter"
KEY = "00000000-0000-0000-0000-000000000000"
SEVERITIES = {"INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 4}

Envelope = dict[str, object]
Track = Callable[[Sequence[Envelope]], object]


def nowhere(envelopes: Sequence[Envelope]) -> None:
    """Drop it; a Track."""


@dataclass(frozen=True, slots=True)
class Running:
    """An invocation at work. trace_parent, span: its own; parent_id: the caller's, or ""."""

    id: str
    function: str
    trace_parent: str
    span: Span
    parent_id: str
    at: datetime
    began_s: float
    lines: list[Envelope] = field(default_factory=list[Envelope])


class Insights(logging.Handler):
    """Azure's host in its default telemetry mode; the worker's log lines go through it.

    track: takes envelopes, as the ingestion does. threads: `invocation_id` of a thread names the
    invocation that it works for.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(logging.INFO)
        self.track: Track = nowhere
        self._clock = clock
        self._running: dict[str, Running] = {}
        self._waiting: list[Envelope] = []
        self._adding = threading.Lock()
        self.threads = threading.local()

    def begin(self, id: str, function: str, trace_parent: str, caller: str) -> Running:
        """Note that an invocation begins. trace_parent: its own. caller: who asked, or ""."""
        span, parent = read_traceparent(trace_parent), read_traceparent(caller)
        now = self._clock.now()
        self._running[id] = running = Running(
            id, function, trace_parent, span, parent.span_id, now, perf_counter()
        )
        self.threads.invocation_id = id
        return running

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line for the invocation that its thread works for; others are the host's own."""
        if running := self._running.get(getattr(self.threads, "invocation_id", "")):
            running.lines.append(_line(running, self._clock.now(), record))

    def end(self, running: Running, status: int, failure: Exception | None) -> None:
        """Note what flush() will send. status: the HTTP status, 0 for none."""
        self._running.pop(running.id)
        envelopes = [_request(running, status, failure), *running.lines]
        if failure:
            envelopes.append(_failure(running, self._clock.now(), failure))
        with self._adding:
            self._waiting += envelopes

    def flush(self) -> None:
        """Send what waits: a request to the stand-in costs more than the invocation itself."""
        with self._adding:
            envelopes, self._waiting = self._waiting, []
        if envelopes:
            self.track(envelopes)


def _request(running: Running, status: int, failure: Exception | None) -> Envelope:
    data: Envelope = {
        "id": running.span.span_id,
        "name": running.function,
        "duration": _duration(perf_counter() - running.began_s),
        "success": failure is None,
        "responseCode": str(status),
    }
    parent: Envelope = {"ai.operation.parentId": running.parent_id}
    return _envelope("Request", running, running.at, parent, data)


def _line(running: Running, at: datetime, record: logging.LogRecord) -> Envelope:
    own: Envelope = {
        "message": logging.Formatter().format(record),
        "severityLevel": SEVERITIES.get(record.levelname, 0),
    }
    return _envelope("Message", running, at, {}, own)


def _failure(running: Running, at: datetime, failure: Exception) -> Envelope:
    thrown = {"typeName": type(failure).__name__, "message": str(failure), "hasFullStack": False}
    return _envelope(
        "Exception", running, at, {}, {"severityLevel": "Error", "exceptions": [thrown]}
    )


def _duration(seconds: float) -> str:
    """Write it as .NET does."""
    minutes, ms = divmod(timedelta(seconds=seconds) // timedelta(milliseconds=1), 60_000)
    return f"0.00:{minutes:02}:{ms / 1000:06.3f}"


def _envelope(
    kind: str, running: Running, at: datetime, tags: Envelope, data: Envelope
) -> Envelope:
    own = {"InvocationId": running.id, "FullName": f"Functions.{running.function}"}
    common = {
        "ai.cloud.role": ROLE,
        "ai.operation.id": running.span.trace_id,
        "ai.operation.parentId": running.span.span_id,
        "ai.operation.name": running.function,
    }
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "time": at.isoformat(),
        "iKey": KEY,
        "tags": {**common, **tags},
        "data": {"baseType": f"{kind}Data", "baseData": {**data, "properties": own}},
    }
