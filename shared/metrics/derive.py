"""Turns priced events into measures, and bounds the label values that callers choose."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from shared.events.types import AnyEvent
from shared.metrics.catalogue import CORRECTED, FLEET, OWN
from shared.metrics.metric import Metric
from shared.metrics.own import CAPPED, SERIES_CAPPED
from shared.pricing.cost import Cost

MAX_LABEL_CHARS = 128
OTHER = "other"
_Series = tuple[str, tuple[str, ...]]

Admitted = Mapping[str, Container[str]]
"""Label → its values, or metric → its series, that may stand as they are; others are `other`."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One amount that one event adds to one series.

    weight: how many equal observations it stands for.
    source, at: who saw it when; what distinguishes a gauge.
    """

    metric: Metric
    values: tuple[str, ...]
    amount: Decimal | float
    weight: int
    source: str
    at: datetime

    @property
    def series(self) -> tuple[str, tuple[str, ...]]:
        """Name what it adds to: its metric, and the values of the labels."""
        return self.metric.name, self.values


_BY_DATA: dict[type, list[Metric]] = defaultdict(list)
for _metric in FLEET + OWN:
    if _metric.of is not None:
        _BY_DATA[_metric.of].append(_metric)


def derive(event: AnyEvent, cost: Cost | None, received_at: datetime) -> Iterator[Measure]:
    """Yield what the event adds to each metric of its kind.

    A sample from a clock that is ahead counts at its receipt: it must not outlive later ones.
    """
    at = min(event.time, received_at)
    for metric in _BY_DATA[type(event.data)]:
        for values, amount in metric.read(event.data, cost):
            cut = tuple([value[:MAX_LABEL_CHARS] for value in values])
            yield Measure(metric, cut, amount, event.data.count, event.source, at)


def corrected(before: Iterable[Measure], after: Iterable[Measure]) -> Iterator[Measure]:
    """Yield by how much counters are more than before, and, by counters of their own, less.

    No counter falls. How long a call took is observed once, and is not corrected.
    """
    known, amounts = dict[_Series, Measure](), defaultdict[_Series, Decimal](Decimal)
    for sign, measures in ((-1, before), (1, after)):
        for measure in measures:
            if measure.metric.name in CORRECTED:
                key = measure.series
                known[key] = measure
                amounts[key] += sign * Decimal(measure.amount)
    for key, amount in amounts.items():
        if amount > 0:
            yield replace(known[key], amount=amount)
        elif amount < 0:
            yield replace(known[key], metric=CORRECTED[key[0]], amount=-amount)


def firsts(measures: Iterable[Measure]) -> Collection[Measure]:
    """Return the first measure of each series: a message has far fewer series than measures."""
    found: dict[_Series, Measure] = {}
    for measure in measures:
        found.setdefault(measure.series, measure)
    return found.values()


def label_values(measures: Iterable[Measure]) -> dict[str, dict[str, str]]:
    """Return every label with the values it has here, and who sent each."""
    seen: dict[str, dict[str, str]] = defaultdict(dict)
    for measure in measures:
        for label, value in zip(measure.metric.labels, measure.values, strict=True):
            seen[label].setdefault(value, measure.source)
    return seen


def series_values(measures: Iterable[Measure]) -> dict[str, dict[str, str]]:
    """Return every metric with its series here, each as one text, and who sent each."""
    seen: dict[str, dict[str, str]] = defaultdict(dict)
    for measure in measures:
        seen[measure.metric.name].setdefault(_as_text(measure.values), measure.source)
    return seen


def bounded(measures: Iterable[Measure], admitted: Admitted) -> Iterator[Measure]:
    """Yield the measures with values that were not admitted as `other`, each of them counted."""
    capped_in: dict[_Series, list[str]] = {}
    for measure in measures:
        series = measure.series
        capped = capped_in.get(series)
        if capped is None:
            named = zip(measure.metric.labels, measure.values, strict=True)
            capped = [label for label, value in named if value not in admitted[label]]
            capped_in[series] = capped
        if not capped:
            yield measure
            continue
        pairs = zip(measure.metric.labels, measure.values, strict=True)
        yield replace(measure, values=tuple(OTHER if n in capped else v for n, v in pairs))
        for label in capped:
            yield replace(measure, metric=CAPPED, values=(label,), amount=Decimal(1))


def bounded_series(measures: Iterable[Measure], admitted: Admitted) -> Iterator[Measure]:
    """Yield the measures; those of series that were not admitted are `other` in every label, and
    counted."""
    known: dict[_Series, bool] = {}
    for measure in measures:
        series = measure.series
        if series not in known:
            known[series] = _as_text(measure.values) in admitted[measure.metric.name]
        if known[series]:
            yield measure
            continue
        yield replace(measure, values=(OTHER,) * len(measure.values))
        name = (measure.metric.name,)
        yield replace(measure, metric=SERIES_CAPPED, values=name, amount=Decimal(1))


def _as_text(values: tuple[str, ...]) -> str:
    return "\x1f".join(values)
