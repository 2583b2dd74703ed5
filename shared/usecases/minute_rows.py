"""Makes rows of AppMetrics of what was added to the running totals since they were last written."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from shared.metrics.catalogue import METRICS
from shared.metrics.points import Labels, SeriesState
from shared.rows import MetricRow

Spread = tuple[int, float, tuple[int, ...]]
"""A histogram as SeriesState has it: count, total, buckets (not cumulative)."""


def rows_since(before: SeriesState, now: SeriesState, minute: datetime) -> Iterator[MetricRow]:
    """Yield a row of that minute for each counter and histogram that grew, and for each new sample
    of a gauge one of the sample's own minute.

    A total that is less than it was has been started anew: all of it is new.
    """
    for (name, labels), total in now.counters.items():
        had = before.counters.get((name, labels), Decimal(0))
        if added := total - had if total >= had else total:
            yield MetricRow(name, minute, labels, float(added))
    for (name, labels), spread in now.histograms.items():
        added = _grown(before.histograms.get((name, labels)), spread)
        bounds = METRICS[name].buckets if name in METRICS else ()
        # Totals by the bounds of another release are no spread of today's metric.
        if added[0] and len(added[2]) == len(bounds) + 1:
            low, high = _bounds(bounds, *added[1:])
            yield MetricRow(name, minute, labels, added[1], added[0], low, high)
    for gauge, (at, value) in now.gauges.items():
        if before.gauges.get(gauge) != (at, value):
            yield gauge_row(*gauge, at, value)


def gauge_row(name: str, labels: Labels, source: str, at: datetime, value: float) -> MetricRow:
    """Return the row of a sample. It names its source, so that sums can add sources."""
    return MetricRow(name, whole_minute(at), (*labels, ("source", source)), value)


def whole_minute(at: datetime) -> datetime:
    """Return the minute that the moment falls into."""
    return at.replace(second=0, microsecond=0)


def _grown(before: Spread | None, now: Spread) -> Spread:
    """Return what was added; all of it where the buckets are others, or hold less than before."""
    if before is None or len(before[2]) != len(now[2]):
        return now
    added = [new - old for new, old in zip(now[2], before[2], strict=True)]
    if min(added) < 0:
        return now
    return now[0] - before[0], now[1] - before[1], tuple(added)


def _bounds(bounds: Sequence[float], total: float, buckets: Sequence[int]) -> tuple[float, float]:
    """Return what no observation was below, and what none was above.

    The last bucket has no upper bound: no observation there is above what is left of the total when
    each of the others is as small as its bucket lets it be.
    """
    edges = (0.0, *bounds)
    filled = [n for n, count in enumerate(buckets) if count]
    first, last = filled[0], filled[-1]
    if last < len(bounds):
        return edges[first], bounds[last]
    least = sum(edge * count for edge, count in zip(edges, buckets, strict=True))
    return edges[first], max(edges[last], total - least + edges[last])
