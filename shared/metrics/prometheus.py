"""Writes the running totals as Prometheus text, format 0.0.4."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from shared.metrics.catalogue import METRICS, Metric
from shared.metrics.points import Labels, SeriesState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STALE_AFTER = timedelta(minutes=5)
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def exposition(state: SeriesState, now: datetime) -> str:
    """Return the text of every metric of the catalogue, series in the order of their labels.

    A gauge is the sum over its sources of samples that are at most five minutes old at `now`.
    """
    samples = {"counter": _counters(state), "histogram": _histograms(state)}
    samples["gauge"] = _gauges(state, now)
    lines: list[str] = []
    for metric in METRICS.values():
        lines.append(f"# HELP {metric.name} {metric.help}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        lines.extend(samples[metric.kind].get(metric.name, ()))
    return "\n".join(lines) + "\n"


def _counters(state: SeriesState) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(list)
    for (name, labels), total in sorted(state.counters.items()):
        lines[name].append(f"{name}{_braces(labels)} {_number(total)}")
    return lines


def _gauges(state: SeriesState, now: datetime) -> dict[str, list[str]]:
    sums: dict[tuple[str, Labels], float] = defaultdict(float)
    for (name, labels, _), (at, value) in state.gauges.items():
        if now - at <= STALE_AFTER:
            sums[name, labels] += value
    lines: dict[str, list[str]] = defaultdict(list)
    for (name, labels), value in sorted(sums.items()):
        lines[name].append(f"{name}{_braces(labels)} {_number(value)}")
    return lines


def _histograms(state: SeriesState) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(list)
    for (name, labels), (count, total, buckets) in sorted(state.histograms.items()):
        metric = METRICS[name]
        for bound, reached in _cumulative(metric, buckets):
            le = _braces((*labels, ("le", bound)))
            lines[name].append(f"{name}_bucket{le} {reached}")
        lines[name].append(f"{name}_sum{_braces(labels)} {_number(total)}")
        lines[name].append(f"{name}_count{_braces(labels)} {count}")
    return lines


def _cumulative(metric: Metric, buckets: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """Yield each bound with the number of observations at or below it."""
    reached = 0
    for bound, inside in zip((*metric.buckets, float("inf")), buckets, strict=True):
        reached += inside
        yield ("+Inf" if bound == float("inf") else _number(bound)), reached


def _braces(labels: Labels) -> str:
    """Write labels, their values escaped."""
    if not labels:
        return ""
    return "{" + ",".join(f'{n}="{v.translate(_ESCAPES)}"' for n, v in labels) + "}"


def _number(value: Decimal | float) -> str:
    """Write a number without exponent games: 3 for 3.0, the shortest exact text otherwise."""
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value))
