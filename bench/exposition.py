"""How long GET /metrics takes for 10,000 series, beside the reference of prometheus_client.

`python -m bench.exposition`. Both write the same series, spread over the whole catalogue; a
histogram counts as one series and is a dozen lines. The reference has its values in memory; ours
are then also read from a SQLite file, as one request does it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shared.metrics.catalogue import METRICS
from shared.metrics.points import Counted, Labels, Observed, Point, Sampled
from shared.metrics.prometheus import OPENMETRICS, TEXT, exposition
from shared.storage.sqlite import connect
from shared.storage.stores import stores_of

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
SERIES = 10_000
ROUNDS = 7
TARGET_MS = 300
LABELLED = [metric for metric in METRICS.values() if metric.labels]


def points() -> Iterator[Point]:
    """Yield a point for each series."""
    for number, metric in enumerate(islice(cycle(LABELLED), SERIES)):
        labels: Labels = tuple((name, f"/api/{name}/{number}") for name in metric.labels)
        match metric.kind:
            case "counter":
                yield Counted(metric.name, labels, Decimal(number) / 1000)
            case "gauge":
                yield Sampled(metric.name, labels, "fleet", NOW, number / 1000)
            case "histogram":
                buckets = tuple(range(len(metric.buckets) + 1))
                yield Observed(metric.name, labels, sum(buckets), number / 1000, buckets)


def reference() -> CollectorRegistry:
    """Return a registry with the same series."""
    registry = CollectorRegistry()
    kinds = {"counter": Counter, "gauge": Gauge}
    made = {
        m.name: Histogram(m.name, m.help, m.labels, registry=registry, buckets=m.buckets)
        if m.kind == "histogram"
        else kinds[m.kind](m.name, m.help, m.labels, registry=registry)
        for m in LABELLED
    }
    for point in points():
        child = made[point.metric].labels(**dict(point.labels))
        match child, point:
            case Counter(), Counted():
                child.inc(float(point.amount))
            case Gauge(), Sampled():
                child.set(point.value)
            case Histogram(), _:
                child.observe(1.0)
            case _:
                raise TypeError(point.metric)
    return registry


def best_ms(work: Callable[[], str | bytes]) -> tuple[float, int]:
    """Return the least milliseconds of some rounds, and the bytes written."""
    took: list[float] = []
    size = 0
    for _ in range(ROUNDS):
        began = perf_counter()
        size = len(work())
        took.append((perf_counter() - began) * 1000)
    return min(took), size


def main() -> None:
    registry = reference()
    with TemporaryDirectory() as folder, closing(connect(Path(folder) / "state.db")) as database:
        store = stores_of(database).series
        store.apply("b-1", list(points()), NOW)
        state = store.read()
        contenders: dict[str, Callable[[], str | bytes]] = {
            "prometheus_client": lambda: generate_latest(registry),
            "ours, text": lambda: exposition(state, NOW, TEXT),
            "ours, OpenMetrics": lambda: exposition(state, NOW, OPENMETRICS),
            "ours, read from SQLite too": lambda: exposition(store.read(), NOW, TEXT),
        }
        for name, work in contenders.items():
            took, size = best_ms(work)
            mark = "" if took < TARGET_MS else f"  over {TARGET_MS} ms"
            sys.stdout.write(f"{name:28}{took:8.1f} ms {size / 1024:8.0f} KiB{mark}\n")


if __name__ == "__main__":
    main()
