"""Running totals of series: how points add up, and how they are written, alike in every store."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Any, Literal, TypeVar

from shared.metrics.points import Counted, Labels, Observed, Point, Sampled, SeriesState

Series = tuple[str, Labels]
Gauge = tuple[str, Labels, str]
Histogram = tuple[int, float, tuple[int, ...]]
Line = tuple[Literal["counter", "gauge", "histogram"], Series | Gauge, object]
"""A series as JSON can hold it: what it is, what names it, what it amounts to."""

Key = TypeVar("Key")
Amount = TypeVar("Amount")

GAUGE_KEPT = timedelta(hours=1)

# The usual 28 digits would round a long price onto a large sum; with no end of digits, one event
# with a million decimals would slow down every later sum.
_SUMS = Context(prec=100)


@dataclass(slots=True)
class Totals:
    """Series that are still being added to; the shapes are those of SeriesState."""

    counters: dict[Series, Decimal] = field(default_factory=dict[Series, Decimal])
    histograms: dict[Series, Histogram] = field(default_factory=dict[Series, Histogram])
    gauges: dict[Gauge, tuple[datetime, float]] = field(
        default_factory=dict[Gauge, tuple[datetime, float]]
    )

    def add(self, points: Iterable[Point]) -> None:
        """Add the points."""
        for point in points:
            match point:
                case Counted(metric, labels, amount):
                    self._count((metric, labels), amount)
                case Observed():
                    observed = (point.count, point.total, point.buckets)
                    self._observe((point.metric, point.labels), observed)
                case Sampled():
                    gauge = (point.metric, point.labels, point.source)
                    self._sample(gauge, (point.at, point.value))

    def merge(self, other: "Totals") -> None:
        """Add the totals that another part of the store holds."""
        for series, amount in other.counters.items():
            self._count(series, amount)
        for series, observed in other.histograms.items():
            self._observe(series, observed)
        for gauge, sample in other.gauges.items():
            self._sample(gauge, sample)

    @classmethod
    def of(cls, state: SeriesState) -> "Totals":
        """Return totals that can be added to."""
        return cls(dict(state.counters), dict(state.histograms), dict(state.gauges))

    def __len__(self) -> int:
        """Return how many series there are."""
        return len(self.counters) + len(self.histograms) + len(self.gauges)

    def replace(self, other: "Totals") -> None:
        """Put the series of the other in the place of their own."""
        self.counters |= other.counters
        self.histograms |= other.histograms
        self.gauges |= other.gauges

    def changed_since(self, before: "Totals") -> "Totals | None":
        """Return the series that are not what they were, None where one is gone."""
        pairs = (
            (self.counters, before.counters),
            (self.histograms, before.histograms),
            (self.gauges, before.gauges),
        )
        if any(theirs.keys() - mine.keys() for mine, theirs in pairs):
            return None
        return Totals(
            _changed(self.counters, before.counters),
            _changed(self.histograms, before.histograms),
            _changed(self.gauges, before.gauges),
        )

    def clamp_gauges(self, now: datetime) -> None:
        """Have samples from the future count as of now, or they would stay for ever."""
        for gauge, (at, value) in self.gauges.items():
            self.gauges[gauge] = (min(at, now), value)

    def drop_gauges(self, now: datetime) -> None:
        """Forget the gauges without a sample for an hour."""
        for gauge in [gauge for gauge, (at, _) in self.gauges.items() if at < now - GAUGE_KEPT]:
            del self.gauges[gauge]

    def drop_oldest_gauges(self, most: int, fresh_since: datetime) -> int:
        """Keep the latest samples, at most so many; return how many fresh ones had to go."""
        by_age = sorted(self.gauges, key=lambda gauge: self.gauges[gauge])
        crowded = [self.gauges.pop(gauge) for gauge in by_age[: max(0, len(by_age) - most)]]
        return sum(at >= fresh_since for at, _ in crowded)

    def by_metric(self) -> dict[str, "Totals"]:
        """Return the totals of each metric by itself."""
        parts = defaultdict[str, Totals](Totals)
        for (metric, labels), amount in self.counters.items():
            parts[metric].counters[metric, labels] = amount
        for (metric, labels), observed in self.histograms.items():
            parts[metric].histograms[metric, labels] = observed
        for (metric, labels, source), sample in self.gauges.items():
            parts[metric].gauges[metric, labels, source] = sample
        return dict(parts)

    def state(self) -> SeriesState:
        """Return a copy that later points leave as it is."""
        return SeriesState(dict(self.counters), dict(self.histograms), dict(self.gauges))

    def lines(self) -> Iterator[Line]:
        """Write out every series; amounts of money as text, so that no digit is lost."""
        for series, amount in self.counters.items():
            yield "counter", series, str(amount)
        for series, observed in self.histograms.items():
            yield "histogram", series, observed
        for gauge, (at, value) in self.gauges.items():
            yield "gauge", gauge, (at.isoformat(), value)

    def take(self, kind: str, name: Any, amount: Any) -> None:
        """Add a line as JSON gives it back, with lists for tuples."""
        metric, labels, *source = name
        series = (metric, tuple((label, value) for label, value in labels))
        match kind:
            case "counter":
                self._count(series, Decimal(amount))
            case "histogram":
                count, total, buckets = amount
                self._observe(series, (count, total, tuple(buckets)))
            case _:
                at, value = amount
                self._sample((*series, *source), (datetime.fromisoformat(at), value))

    def _count(self, series: Series, amount: Decimal) -> None:
        self.counters[series] = _SUMS.add(self.counters.get(series, Decimal(0)), amount)

    def _observe(self, series: Series, observed: Histogram) -> None:
        count, total, buckets = observed
        before = self.histograms.get(series)
        # After a change of the metric's bounds the old counts mean nothing: it starts anew.
        if before and len(before[2]) == len(buckets):
            count, total = count + before[0], total + before[1]
            buckets = tuple(map(sum, zip(buckets, before[2], strict=True)))
        self.histograms[series] = (count, total, buckets)

    def _sample(self, gauge: Gauge, sample: tuple[datetime, float]) -> None:
        """Keep the later sample; of two at the same time the greater, in whatever order."""
        self.gauges[gauge] = max(self.gauges.get(gauge, sample), sample)


def _changed(now: Mapping[Key, Amount], before: Mapping[Key, Amount]) -> dict[Key, Amount]:
    return {series: amount for series, amount in now.items() if before.get(series) != amount}
