"""Azure Monitor's SDK held so that it sends at once, says what came back, and does nothing else."""

import gzip
import json
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.rest import HttpRequest, HttpResponse
from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
    AzureMonitorTraceExporter,
)
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    set_span_in_context,
)

from shared.adapters.azure.azure_monitor_answer import Answer
from shared.adapters.azure.connection_string import Connection
from shared.adapters.azure.identity import APP, Identity
from shared.adapters.azure.quiet import quiet_sdk
from shared.events.columns import measurements, properties
from shared.invocation import posting
from shared.rows import INGESTION, EventRow, FailureRow, MetricRow, SpanRow

CONNECT_TIMEOUT_S = 5
GZIP_LEVEL = 5
TAGS = frozenset({"ai.cloud.role", "ai.operation.id", "ai.operation.parentId", "ai.operation.name"})
"""Those that describe the row itself; ids of zeros are how OpenTelemetry says that there is none.
"""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class _Line(threading.local):
    """The request that a thread has under way: whether it went out, and what came back."""

    sent = False
    answer: Answer | None = None


class Sdk:
    """The SDK's exporters, with hooks that pack each request and keep each response."""

    def __init__(
        self, connection: Connection, identity: Identity | None, role: str, read_timeout_s: float
    ) -> None:
        """identity: who sends, None for the connection string's key alone."""
        quiet_sdk()
        self._url = connection.endpoint + INGESTION.partition(" ")[2]
        self._line = _Line()
        self._resource = Resource({"service.name": role})
        self._silence = (
            f"Azure Monitor did not answer within {read_timeout_s:g} s, or could not be reached. "
            "It is sent again."
        )
        self._unsent = f"Nothing was sent: {(identity or APP).without_token()}"
        options: dict[str, Any] = {
            "connection_string": connection.text,
            # Always given: without it the SDK reads the environment on its own.
            "credential": identity.credential() if identity else None,
            "disable_offline_storage": True,
            "max_envelopes_per_second": 0,
            "retry_total": 0,
            "timeout": CONNECT_TIMEOUT_S,
            "read_timeout": read_timeout_s,
            "raw_request_hook": self._pack,
            "raw_response_hook": self._hear,
        }
        self._logs = AzureMonitorLogExporter(**options)
        self._metrics = AzureMonitorMetricExporter(**options)
        self._traces = AzureMonitorTraceExporter(**options)

    def send_events(self, rows: Sequence[EventRow]) -> Answer:
        """Send the rows in one request and return its answer."""
        records = [ReadableLogRecord(_record(row), self._resource) for row in rows]
        return self._ask(lambda: self._logs.export(records))

    def send_metrics(self, rows: Sequence[MetricRow]) -> Answer:
        """Send the rows in one request and return its answer."""
        scope = ScopeMetrics(InstrumentationScope("agentmeter"), [_metric(r) for r in rows], "")
        data = MetricsData([ResourceMetrics(self._resource, [scope], "")])
        return self._ask(lambda: self._metrics.export(data))

    def send_spans(self, rows: Sequence[SpanRow]) -> Answer:
        """Send the rows in one request and return its answer."""
        spans = [_span(row) for row in rows]
        return self._ask(lambda: self._traces.export(spans))

    def send_failures(self, rows: Sequence[FailureRow]) -> Answer:
        """Send the rows in one request and return its answer."""
        records = [ReadableLogRecord(_failure(row), self._resource) for row in rows]
        return self._ask(lambda: self._logs.export(records))

    def _ask(self, export: Callable[[], object]) -> Answer:
        """What export() returns cannot distinguish partial from dead; only the response can."""
        line = self._line
        line.sent, line.answer = False, None
        with posting(self._url) as call, suppress_instrumentation():
            export()
            call.answered(line.answer.status if line.answer else None)
        return line.answer or Answer(None, silence=self._silence if line.sent else self._unsent)

    def _pack(self, call: PipelineRequest[HttpRequest]) -> None:
        """Note that a request goes out, after a redirect once more; trim and compress its body."""
        self._line.sent, self._line.answer = True, None
        plain = call.http_request
        if "Content-Encoding" in plain.headers:  # the same request again, with a fresh token
            return
        lean = [_without_machine(item) for item in json.loads(str(plain.content))]
        body = gzip.compress(json.dumps(lean, separators=(",", ":")).encode(), GZIP_LEVEL)
        plain.headers.update({"Content-Encoding": "gzip", "Content-Length": str(len(body))})
        call.http_request = HttpRequest(
            plain.method, plain.url, headers=plain.headers, content=body
        )

    def _hear(self, call: PipelineResponse[HttpRequest, HttpResponse]) -> None:
        """Keep the response; the SDK calls this in the thread that called export()."""
        response = call.http_response
        retry_after = response.headers.get("Retry-After", "")
        self._line.answer = Answer(response.status_code, response.content, retry_after)


def _without_machine(item: dict[str, Any]) -> dict[str, Any]:
    """Leave out what describes this instance and its libraries: it is billed in every row."""
    tags = {k: v for k, v in item["tags"].items() if k in TAGS and v.strip("0")}
    return item | {"tags": tags}


def _unix_ns(at: datetime) -> int:
    """Count in whole microseconds: a float of seconds would round them."""
    return (at - EPOCH) // MICROSECOND * 1000


def _record(row: EventRow) -> LogRecord:
    at_ns = _unix_ns(row.time)
    return LogRecord(
        timestamp=at_ns,
        observed_timestamp=at_ns,
        context=_context(row.operation_id, row.parent_id),
        attributes={
            **properties(row.text),
            "microsoft.custom_event.name": row.name,
            "microsoft.custom_measurements": measurements(row.numbers),
        },
    )


def _failure(row: FailureRow) -> LogRecord:
    at_ns = _unix_ns(row.time)
    return LogRecord(
        timestamp=at_ns,
        observed_timestamp=at_ns,
        context=_context(row.trace_id, row.parent_id),
        severity_number=SeverityNumber.ERROR,
        attributes={
            **row.text,
            "exception.type": row.type,
            "exception.message": row.message or row.type,
            "exception.stacktrace": row.stack,
        },
    )


def _context(trace_id: str, parent_id: str) -> Context:
    """Return a context that is always given: without one, a row would take the ids of whatever
    span is current here."""
    span = SpanContext(int(trace_id or "0", 16), int(parent_id or "0", 16), False)
    return set_span_in_context(NonRecordingSpan(span), Context())


def _metric(row: MetricRow) -> Metric:
    labels, at_ns = dict(row.labels), _unix_ns(row.time)
    if row.low is None or row.high is None:
        number = NumberDataPoint(labels, at_ns, at_ns, row.total)
        return Metric(row.name, "", "", Gauge([number]))
    spread = HistogramDataPoint(
        labels, at_ns, at_ns, row.count, row.total, [row.count], [], row.low, row.high
    )
    return Metric(row.name, "", "", Histogram([spread], AggregationTemporality.DELTA))


def _span(row: SpanRow) -> ReadableSpan:
    """Return the row without events: each of them would be an item of its own in the request."""
    trace_id, start_ns = int(row.trace_id, 16), _unix_ns(row.time)
    parent = SpanContext(trace_id, int(row.parent_id, 16), True) if row.parent_id else None
    return ReadableSpan(
        row.name,
        SpanContext(trace_id, int(row.span_id, 16), False),
        parent,
        Resource({"service.name": row.role}),
        {**row.text, **_http(row)},
        kind=SpanKind.CLIENT if row.client else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if row.failed else StatusCode.OK),
        start_time=start_ns,
        end_time=start_ns + row.duration // MICROSECOND * 1000,
    )


def _http(row: SpanRow) -> dict[str, str | int]:
    """Return what makes a dependency of the type HTTP of a span."""
    if not row.url:
        return {}
    method = row.name.partition(" ")[0]
    return {
        "http.request.method": method,
        "url.full": row.url,
        "http.response.status_code": int(row.result or 0),
    }
