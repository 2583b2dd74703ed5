"""Sums the measures of a batch into points: one per minute, metric and label values."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.metrics.catalogue import METRICS
from shared.metrics.derive import Measure
from shared.metrics.points import Counted, Labels, Observed, Point, Sampled

Timed = tuple[datetime, Point]
_Key = tuple[datetime, str, tuple[str, ...]]


@dataclass(slots=True)
class _Spread:
    """Observations of one series in one minute."""

    buckets: list[int]
    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, bounds: tuple[float, ...], value: float, weight: int) -> None:
        """Add equal observations; a bound includes its own value."""
        self.buckets[bisect_left(bounds, value)] += weight
        self.count += weight
        self.total += value * weight
        self.low = min(self.low, value)
        self.high = max(self.high, value)


def tally(measures: Iterable[Measure]) -> list[Timed]:
    """Return the sums with their minutes: counters and histograms added, gauges the latest."""
    counters: dict[_Key, Decimal] = {}
    spreads: dict[_Key, _Spread] = {}
    samples: dict[tuple[_Key, str], Sampled] = {}
    for measure in measures:
        key = (measure.minute, measure.metric.name, measure.values)
        match measure.metric.kind:
            case "counter":
                counters[key] = counters.get(key, Decimal(0)) + Decimal(measure.amount)
            case "histogram":
                bounds = measure.metric.buckets
                spread = spreads.setdefault(key, _Spread([0] * (len(bounds) + 1)))
                spread.add(bounds, float(measure.amount), measure.weight)
            case "gauge":
                _keep_latest(samples, key, measure)
    return [
        *((key[0], Counted(key[1], _labels(key), amount)) for key, amount in counters.items()),
        *((key[0], _observed(key, spread)) for key, spread in spreads.items()),
        *((key[0], sample) for (key, _), sample in samples.items()),
    ]


def _keep_latest(samples: dict[tuple[_Key, str], Sampled], key: _Key, measure: Measure) -> None:
    """A gauge is the latest sample per source and labels."""
    before = samples.get((key, measure.source))
    if before is None or measure.at >= before.at:
        samples[key, measure.source] = Sampled(
            measure.metric.name, _labels(key), measure.source, measure.at, float(measure.amount)
        )


def _labels(key: _Key) -> Labels:
    """Name the label values of a key."""
    return tuple(zip(METRICS[key[1]].labels, key[2], strict=True))


def _observed(key: _Key, spread: _Spread) -> Observed:
    """Turn a spread into a point."""
    return Observed(
        metric=key[1],
        labels=_labels(key),
        count=spread.count,
        total=spread.total,
        low=spread.low,
        high=spread.high,
        buckets=tuple(spread.buckets),
    )
