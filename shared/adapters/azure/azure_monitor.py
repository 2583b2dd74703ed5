"""Sends events, metrics and spans to Application Insights, with an outcome for every item."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from shared.adapters.azure.azure_monitor_answer import CLOSED, Answer, outcomes
from shared.adapters.azure.azure_monitor_limits import (
    bent_event,
    bent_span,
    event_bytes,
    event_fault,
    failure_bytes,
    failure_fault,
    metric_bytes,
    metric_fault,
    size_fault,
    span_bytes,
    span_fault,
)
from shared.adapters.azure.breeze import Envelope, event_envelope, span_envelope, to_item
from shared.adapters.azure.connection_string import read_connection, read_sender
from shared.adapters.azure.identity import APP, Identity
from shared.rows import EventRow, ExportOutcome, ExportRefused, FailureRow, MetricRow, SpanRow

if TYPE_CHECKING:
    from shared.adapters.azure.azure_monitor_sdk import Sdk
    from shared.adapters.azure.track import Track

REQUEST_MAX_ITEMS = 500
REQUEST_MAX_BYTES = 1_000_000
UNSENT = 0
"""The status of a row that was refused here, before any request."""
T = TypeVar("T")


class AzureMonitorExporter:
    """The Exporter over Azure Monitor's ingestion.

    Events and spans, the many, are written here; metrics and failures go through Azure Monitor's
    own SDK, and so does everything where that is wished. What sends is loaded at the first export
    (the SDK takes a third of a second), not before. Safe to share between threads. Nothing is
    stored, and no thread works, after a call has returned.
    """

    def __init__(
        self,
        connection_string: str,
        authentication: str = "",
        identity: Identity = APP,
        *,
        role: str = "agentmeter",
        read_timeout_s: float = 20,
        all_by_sdk: bool = False,
    ) -> None:
        """Check the settings; nothing is sent yet.

        authentication: "" (the connection string's key alone), `Authorization=AAD`, or
            `ClientId=<id>;Authorization=AAD` for a user-assigned identity.
        identity: who sends, where authentication asks for one; a client id in that wins.
        role: what the rows say as AppRoleName. read_timeout_s: how long to wait for an answer.
        all_by_sdk: events and spans go through the SDK, too.
        Raises:
            Misconfigured: names the setting that is wrong, never its value.
        """
        self._connection = read_connection(connection_string)
        self._identity = read_sender(authentication, identity, self._connection)
        self._role = role
        self._read_timeout_s = read_timeout_s
        self._all_by_sdk = all_by_sdk
        self._building = Lock()
        self._built: Sdk | None = None
        self._opened: Track | None = None

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppEvents; return as many outcomes, in order.

        A row that Azure Monitor would bend or cut is refused with status 0, unsent.
        """
        if self._all_by_sdk:
            sound = _sound(rows, event_fault)
            return _deliver(sound, event_bytes, lambda some: self._sdk().send_events(some))
        key, role = self._connection.key, self._role
        return self._post(rows, bent_event, lambda row: event_envelope(row, key, role))

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppMetrics; as events()."""
        sound = _sound(rows, metric_fault)
        return _deliver(sound, metric_bytes, lambda some: self._sdk().send_metrics(some))

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppDependencies; as events()."""
        if self._all_by_sdk:
            sound = _sound(rows, span_fault)
            return _deliver(sound, span_bytes, lambda some: self._sdk().send_spans(some))
        key = self._connection.key
        return self._post(rows, bent_span, lambda row: span_envelope(row, key))

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppExceptions; as events()."""
        sound = _sound(rows, failure_fault)
        return _deliver(sound, failure_bytes, lambda some: self._sdk().send_failures(some))

    def _post(
        self, rows: Sequence[T], bent: Callable[[T], str], envelope: Callable[[T], Envelope]
    ) -> list[ExportOutcome]:
        """Write each row once, and send those that go as they are."""

        def item(row: T) -> bytes | ExportRefused:
            if fault := bent(row):
                return ExportRefused(UNSENT, fault)
            text = to_item(envelope(row))
            fault = size_fault(len(text))
            return ExportRefused(UNSENT, fault) if fault else text

        return _deliver([item(row) for row in rows], len, lambda some: self._track().send(some))

    def _sdk(self) -> "Sdk":
        with self._building:
            if self._built is None:
                from shared.adapters.azure.azure_monitor_sdk import Sdk

                self._built = Sdk(
                    self._connection, self._identity, self._role, self._read_timeout_s
                )
            return self._built

    def _track(self) -> "Track":
        with self._building:
            if self._opened is None:
                from shared.adapters.azure.track import Track

                self._opened = Track(self._connection, self._identity, self._read_timeout_s)
            return self._opened


def _sound(rows: Sequence[T], fault: Callable[[T], str]) -> list[T | ExportRefused]:
    """Return the rows, and in place of one that has a fault its refusal."""
    return [ExportRefused(UNSENT, wrong) if (wrong := fault(row)) else row for row in rows]


def _deliver(
    given: Sequence[T | ExportRefused],
    size_bytes: Callable[[T], int],
    send: Callable[[Sequence[T]], Answer],
) -> list[ExportOutcome]:
    """Send all but the refusals; outcomes in the order given."""
    sound = [one for one in given if not isinstance(one, ExportRefused)]
    sent = iter(_send(_chunks(sound, size_bytes), send))
    return [one if isinstance(one, ExportRefused) else next(sent) for one in given]


def _send(chunks: Iterable[list[T]], send: Callable[[Sequence[T]], Answer]) -> list[ExportOutcome]:
    """Send chunk after chunk, halving one that is too large for the service.

    Once it is closed to us, the rest has the same outcome unsent: it would wait for a time-out
    each, or add to the throttling.
    """
    known: list[ExportOutcome] = []
    waiting = deque(chunks)
    answer = Answer(200)
    while waiting:
        chunk = waiting.popleft()
        if answer.status not in CLOSED:
            answer = send(chunk)
        if answer.status == 413 and len(chunk) > 1:
            half = len(chunk) // 2
            waiting.extendleft((chunk[half:], chunk[:half]))
        else:
            known += outcomes(answer, len(chunk))
    return known


def _chunks(rows: Sequence[T], size_bytes: Callable[[T], int]) -> Iterator[list[T]]:
    chunk: list[T] = []
    room_bytes = REQUEST_MAX_BYTES
    for row in rows:
        room_bytes -= size_bytes(row)
        if chunk and (len(chunk) == REQUEST_MAX_ITEMS or room_bytes < 0):
            yield chunk
            chunk, room_bytes = [], REQUEST_MAX_BYTES - size_bytes(row)
        chunk.append(row)
    if chunk:
        yield chunk
