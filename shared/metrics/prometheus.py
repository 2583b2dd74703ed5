"""Writes the running totals for Prometheus: as its own text format, and as OpenMetrics."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from shared.metrics.catalogue import METRICS
from shared.metrics.metric import Metric
from shared.metrics.points import Labels, SeriesState

STALE_AFTER = timedelta(minutes=5)
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Lines = dict[str, list[str]]
"""Metric → its samples."""


def _text_head(metric: Metric) -> Iterable[str]:
    """Say what the metric is, under the name of its samples.

    Two gauges have names that end like a counter's, which linters of this format refuse. Here a
    type may be left open, so theirs is.
    """
    is_odd = metric.kind == "gauge" and metric.name.endswith("_total")
    kind = "untyped" if is_odd else metric.kind
    return f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {kind}"


def _openmetrics_head(metric: Metric) -> Iterator[str]:
    """Say what the family is, whose name a counter's samples end with `_total`."""
    is_counter = metric.kind == "counter"
    family = metric.name.removesuffix("_total") if is_counter else metric.name
    yield f"# TYPE {family} {metric.kind}"
    if metric.unit and family.endswith(f"_{metric.unit}"):
        yield f"# UNIT {family} {metric.unit}"
    yield f"# HELP {family} {metric.help}"


@dataclass(frozen=True, slots=True)
class Format:
    """How one format differs from another; samples are written alike in all."""

    content_type: str
    head: Callable[[Metric], Iterable[str]]
    end: str = ""


TEXT = Format("text/plain; version=0.0.4; charset=utf-8", _text_head)
OPENMETRICS = Format(
    "application/openmetrics-text; version=1.0.0; charset=utf-8", _openmetrics_head, "# EOF\n"
)


def exposition(state: SeriesState, now: datetime, form: Format) -> str:
    """Return every metric of the catalogue, series in the order of their labels.

    A gauge is the sum over its sources of samples that are at most five minutes old at `now`.
    OpenMetrics has no `_created` samples: when a series began is not known.
    """
    samples = {
        "counter": _counters(state),
        "histogram": _histograms(state),
        "gauge": _gauges(state, now),
    }
    lines: list[str] = []
    for metric in METRICS.values():
        lines.extend(form.head(metric))
        lines.extend(samples[metric.kind].get(metric.name, ()))
    return "\n".join(lines) + "\n" + form.end


def _counters(state: SeriesState) -> Lines:
    lines: Lines = defaultdict(list)
    for name, labels in sorted(state.counters):
        total = _number(state.counters[name, labels])
        lines[name].append(f"{_named(name, _pairs(labels))} {total}")
    return lines


def _gauges(state: SeriesState, now: datetime) -> Lines:
    sums: dict[tuple[str, Labels], float] = defaultdict(float)
    for (name, labels, _), (at, value) in state.gauges.items():
        if now - at <= STALE_AFTER:
            sums[name, labels] += value
    lines: Lines = defaultdict(list)
    for name, labels in sorted(sums):
        lines[name].append(f"{_named(name, _pairs(labels))} {_number(sums[name, labels])}")
    return lines


def _histograms(state: SeriesState) -> Lines:
    lines: Lines = defaultdict(list)
    bounds = {name: [*map(_bound, metric.buckets), "+Inf"] for name, metric in METRICS.items()}
    for name, labels in sorted(state.histograms):
        count, total, buckets = state.histograms[name, labels]
        pairs = _pairs(labels)
        before = f"{name}_bucket{{{pairs}," if pairs else f"{name}_bucket{{"
        lines[name].extend(
            f'{before}le="{bound}"}} {reached}'
            for bound, reached in zip(bounds[name], accumulate(buckets), strict=True)
        )
        lines[name].append(f"{_named(f'{name}_sum', pairs)} {_number(total)}")
        lines[name].append(f"{_named(f'{name}_count', pairs)} {count}")
    return lines


def _pairs(labels: Labels) -> str:
    """Write labels, their values escaped."""
    return ",".join([f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels])


def _named(name: str, pairs: str) -> str:
    return f"{name}{{{pairs}}}" if pairs else name


def _bound(value: float) -> str:
    """Write a bucket's bound as OpenMetrics asks, in every format: 1.0, for "1" would be another
    series to a scraper that changes from one format to the other."""
    return repr(float(value))


def _number(value: Decimal | float) -> str:
    """Write a number without exponent games: 3 for 3.0, the shortest exact text otherwise."""
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value))
