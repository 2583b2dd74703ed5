"""What a metric's value is made of, between derivation, store and exposition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

Labels = tuple[tuple[str, str], ...]
"""Label names and values in the order of the catalogue."""


@dataclass(frozen=True, slots=True)
class Counted:
    """An amount to add to a counter."""

    metric: str
    labels: Labels
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations to add to a histogram: `count` of them, `total` their sum.

    buckets: how many of them fell into each bucket alone (not cumulative), the last one above
        every bound; as many entries as the metric has bounds, plus one.
    """

    metric: str
    labels: Labels
    count: int
    total: float
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """The latest value of a gauge as one source sees it."""

    metric: str
    labels: Labels
    source: str
    at: datetime
    value: float


Point = Counted | Observed | Sampled


@dataclass(frozen=True, slots=True)
class SeriesState:
    """All that is known of one metric's series, as a store returns it.

    counters: labels → total. histograms: labels → (count, total, buckets, not cumulative).
    gauges: (labels, source) → (when sampled, value).
    """

    counters: Mapping[tuple[str, Labels], Decimal] = field(
        default_factory=dict[tuple[str, Labels], Decimal]
    )
    histograms: Mapping[tuple[str, Labels], tuple[int, float, tuple[int, ...]]] = field(
        default_factory=dict[tuple[str, Labels], tuple[int, float, tuple[int, ...]]]
    )
    gauges: Mapping[tuple[str, Labels, str], tuple[datetime, float]] = field(
        default_factory=dict[tuple[str, Labels, str], tuple[datetime, float]]
    )
