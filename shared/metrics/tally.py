"""Sums the measures of a batch into points: one per metric and label values."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from shared.metrics.catalogue import METRICS
from shared.metrics.derive import Measure
from shared.metrics.points import Counted, Labels, Observed, Point, Sampled

_Key = tuple[str, tuple[str, ...]]


@dataclass(slots=True)
class _Spread:
    """Observations of one series."""

    buckets: list[int]
    count: int = 0
    total: float = 0.0

    def add(self, bounds: tuple[float, ...], value: float, weight: int) -> None:
        """Add equal observations; a bound includes its own value."""
        self.buckets[bisect_left(bounds, value)] += weight
        self.count += weight
        self.total += value * weight


def tally(measures: Iterable[Measure]) -> list[Point]:
    """Return the sums: counters and histograms added, gauges the latest."""
    counters: dict[_Key, Decimal] = {}
    spreads: dict[_Key, _Spread] = {}
    samples: dict[tuple[_Key, str], Sampled] = {}
    for measure in measures:
        key = (measure.metric.name, measure.values)
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
        *(Counted(key[0], _labels(key), amount) for key, amount in counters.items()),
        *(_observed(key, spread) for key, spread in spreads.items()),
        *samples.values(),
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
    return tuple(zip(METRICS[key[0]].labels, key[1], strict=True))


def _observed(key: _Key, spread: _Spread) -> Observed:
    """Turn a spread into a point."""
    return Observed(
        metric=key[0],
        labels=_labels(key),
        count=spread.count,
        total=spread.total,
        buckets=tuple(spread.buckets),
    )
