"""Reads the names of metrics in an OTLP request."""

from collections.abc import Iterator

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from shared.adapters.otlp.wire import Place, Places, Signal, holds_metrics, parts
from shared.events.otlp.media import Media


def read_metric_names(body: bytes, media: Media) -> set[str]:
    """Return the names of the metrics of an unpacked request.

    Raises:
        InvalidEvent: nothing can be made of the body as a whole; says what it seems to be.
    """
    found = parts(body, media, METRICS)
    return {one[0].name for one in found if not isinstance(one, str)}


def _metrics(body: bytes) -> Iterator[tuple[Metric, Place]]:
    places = Places()
    for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in group.scope_metrics:
            place = places.of(group.resource, scope.scope.name)
            yield from ((metric, place) for metric in scope.metrics)


METRICS = Signal(
    "metrics",
    "ExportMetricsServiceRequest",
    "resourceMetrics",
    "scopeMetrics",
    "metrics",
    read=_metrics,
    item=Metric,
    holds=holds_metrics,
)
