"""Sends events, metrics and spans to Application Insights, with an outcome for every item."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from shared.adapters.azure.azure_monitor_answer import CLOSED, Answer, outcomes
from shared.adapters.azure.azure_monitor_limits import (
    event_bytes,
    event_fault,
    failure_bytes,
    failure_fault,
    metric_bytes,
    metric_fault,
    span_bytes,
    span_fault,
)
from shared.adapters.azure.identity import APP, Identity
from shared.errors import Misconfigured
from shared.rows import EventRow, ExportOutcome, ExportRefused, FailureRow, MetricRow, SpanRow

if TYPE_CHECKING:
    from shared.adapters.azure.azure_monitor_sdk import Sdk

REQUEST_MAX_ITEMS = 500
REQUEST_MAX_BYTES = 1_000_000
DEFAULT_ENDPOINT = "https://dc.services.visualstudio.com"
"""Where the SDK sends what a connection string without an endpoint leaves to it."""
UNSENT = 0
"""The status of a row that was refused here, before any request."""
INSTRUMENTATION_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
T = TypeVar("T")


class AzureMonitorExporter:
    """The Exporter over Azure Monitor's own SDK.

    The SDK is loaded at the first export (a third of a second), not before. Safe to share between
    threads. Nothing is stored, and no thread works, after a call has returned.
    """

    def __init__(
        self,
        connection_string: str,
        authentication: str = "",
        identity: Identity = APP,
        *,
        role: str = "agentmeter",
        read_timeout_s: float = 20,
    ) -> None:
        """Check the settings; nothing is sent yet.

        authentication: "" (the connection string's key alone), `Authorization=AAD`, or
            `ClientId=<id>;Authorization=AAD` for a user-assigned identity.
        identity: who sends, where authentication asks for one; a client id in that wins.
        role: what the rows say as AppRoleName. read_timeout_s: how long to wait for an answer.
        Raises:
            Misconfigured: names the setting that is wrong, never its value.
        """
        self._connection_string = _without_slashes(connection_string)
        self._endpoint = _endpoint(self._connection_string)
        self._identity = _identity(authentication, identity)
        if self._identity is not None and self._endpoint.startswith("http://"):
            raise Misconfigured(
                "No identity is ever sent over plain http. Empty "
                "APPLICATIONINSIGHTS_AUTHENTICATION_STRING, or give an https endpoint in "
                "APPLICATIONINSIGHTS_CONNECTION_STRING."
            )
        self._role = role
        self._read_timeout_s = read_timeout_s
        self._building = Lock()
        self._built: Sdk | None = None

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppEvents; return as many outcomes, in order.

        A row that Azure Monitor would bend or cut is refused with status 0, unsent.
        """
        return _deliver(rows, event_fault, event_bytes, lambda some: self._sdk().send_events(some))

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppMetrics; as events()."""
        return _deliver(
            rows, metric_fault, metric_bytes, lambda some: self._sdk().send_metrics(some)
        )

    def spans(self, rows: Sequence[SpanRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppDependencies; as events()."""
        return _deliver(rows, span_fault, span_bytes, lambda some: self._sdk().send_spans(some))

    def failures(self, rows: Sequence[FailureRow]) -> Sequence[ExportOutcome]:
        """Send the rows to AppExceptions; as events()."""
        return _deliver(
            rows, failure_fault, failure_bytes, lambda some: self._sdk().send_failures(some)
        )

    def _sdk(self) -> "Sdk":
        with self._building:
            if self._built is None:
                from shared.adapters.azure.azure_monitor_sdk import Sdk

                self._built = Sdk(
                    *(self._connection_string, self._endpoint or DEFAULT_ENDPOINT),
                    *(self._identity, self._role, self._read_timeout_s),
                )
            return self._built


def _without_slashes(connection_string: str) -> str:
    """Take the last slash off endpoints, for which the SDK would ask for //v2.1/track.

    The audience keeps its own: Azure knows it by that.
    """
    parts = connection_string.strip().rstrip(";").split(";")
    return ";".join(p if p.lower().startswith("aadaudience=") else p.rstrip("/") for p in parts)


def _pairs(text: str) -> dict[str, str]:
    """Return `Name=value;…` by small name, and nothing of parts that are not of that form."""
    parts = (part.split("=") for part in text.split(";"))
    return {part[0].lower(): part[1] for part in parts if len(part) == 2}


def _endpoint(connection_string: str) -> str:
    """Return the ingestion endpoint, "" where the connection string leaves it to the SDK."""
    pairs = _pairs(connection_string)
    endpoint = pairs.get("ingestionendpoint", "")
    if (
        len(pairs) == len(connection_string.split(";"))
        and INSTRUMENTATION_KEY.fullmatch(pairs.get("instrumentationkey", ""))
        and re.match(r"https?://\w|$", endpoint)
    ):
        return endpoint
    raise Misconfigured(
        "APPLICATIONINSIGHTS_CONNECTION_STRING is no connection string: it needs "
        "`InstrumentationKey=<small-letter uuid>;IngestionEndpoint=https://…`. Copy it from the "
        "Application Insights resource's overview."
    )


def _identity(authentication: str, identity: Identity) -> Identity | None:
    """Return who sends, None for the connection string's key alone."""
    if not authentication.strip():
        return None
    pairs = _pairs(authentication.strip())
    if pairs.get("authorization", "").upper() == "AAD":
        return replace(identity, client_id=pairs.get("clientid", identity.client_id))
    raise Misconfigured(
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING is not understood. Set it to "
        "`Authorization=AAD`, with `ClientId=<id>;` before it for a user-assigned identity, or "
        "leave it empty."
    )


def _deliver(
    rows: Sequence[T],
    fault: Callable[[T], str],
    size_bytes: Callable[[T], int],
    send: Callable[[Sequence[T]], Answer],
) -> list[ExportOutcome]:
    """Refuse the rows that have a fault, send the others; outcomes in the order of the rows."""
    faults = [fault(row) for row in rows]
    sound = [row for row, wrong in zip(rows, faults, strict=True) if not wrong]
    sent = iter(_send(_chunks(sound, size_bytes), send))
    return [ExportRefused(UNSENT, wrong) if wrong else next(sent) for wrong in faults]


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
