"""How long processing one event takes, beside what the usual instruments alone would take.

`python -m bench.process`. Both unpack the same batches of mixed events. Ours then does all that it
does but send: claims, prices, rows, points, totals. The usual way prices with genai-prices and adds
to OpenTelemetry's instruments; it claims nothing and makes no rows. Judge by the ratio.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import genai_prices
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from bench.export import KINDS
from shared.events.envelope import judge
from shared.events.message import decode, pack
from shared.events.types import LlmCall
from shared.metrics.catalogue import METRICS
from shared.ports import Exporter
from shared.pricing.cost import Cost
from shared.pricing.price import load
from shared.rows import EventRow, Exported, ExportOutcome, MetricRow
from shared.usecases.processing.process import Process, Stores
from tests.factories import event
from tests.fakes import FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
BOOK = Path(__file__).parents[1] / "config" / "prices.toml"
EVENTS = 1_000
ROUNDS = 9


class Nowhere(FakeExporter):
    """Takes every row and keeps none."""

    def events(self, rows: Sequence[EventRow]) -> Sequence[ExportOutcome]:
        return [Exported()] * len(rows)

    def metrics(self, rows: Sequence[MetricRow]) -> Sequence[ExportOutcome]:
        return [Exported()] * len(rows)


def batch(number: int, size: int = EVENTS) -> str:
    """Return a queue message of new events."""
    given = [
        {**event(KINDS[n % len(KINDS)]), "id": f"{number}-{n}", "time": NOW.isoformat()}
        for n in range(size)
    ]
    events, refused = judge(given, NOW)
    assert not refused
    (text,) = pack(events, NOW)
    return text


def in_memory() -> Stores:
    return Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), MemoryTraces())


def ours(stores: Stores, exporter: Exporter) -> Callable[[str], object]:
    process = Process(stores, exporter, load(BOOK.read_text()), label_max_values=200)
    return lambda text: process.run(text, 1, NOW)


def usual() -> Callable[[str], object]:
    meter = MeterProvider([InMemoryMetricReader()]).get_meter("bench")
    record = {
        name: meter.create_histogram(name).record
        if metric.kind == "histogram"
        else meter.create_counter(name).add
        if metric.kind == "counter"
        else meter.create_gauge(name).set
        for name, metric in METRICS.items()
    }

    def run(text: str) -> None:
        for each in decode(text).events:
            cost = calculated(each.data, each.time) if isinstance(each.data, LlmCall) else None
            for metric in METRICS.values():
                if metric.of is type(each.data):
                    for values, amount in metric.read(each.data, cost):
                        labels = dict(zip(metric.labels, values, strict=True))
                        record[metric.name](float(amount), labels)

    return run


def calculated(call: LlmCall, at: datetime) -> Cost:
    counts = call.usage.model_dump() if call.usage else {}
    used = genai_prices.Usage(**{name: n for name, n in counts.items() if n})
    found = genai_prices.calc_price(
        used, call.model, provider_id=call.provider, genai_request_timestamp=at
    )
    return Cost(found.total_price, "known", "genai-prices")


def main() -> None:
    contenders = {"ours": ours(in_memory(), Nowhere()), "usual": usual()}
    took = {name: list[float]() for name in contenders}
    for number in range(ROUNDS + 1):
        text = batch(number)
        gc.freeze()  # else what is measured is the collector, walking over the price list
        for name, run in contenders.items():
            began = perf_counter()
            run(text)
            took[name].append((perf_counter() - began) / EVENTS * 1e6)
    warm = {name: figures[1:] for name, figures in took.items()}
    for name, figures in warm.items():
        sys.stdout.write(f"{name:6} {min(figures):7.1f} µs for an event\n")
    ratio = median(theirs / mine for theirs, mine in zip(warm["usual"], warm["ours"], strict=True))
    sys.stdout.write(f"all of ours takes {1 / ratio:.2f} times what the usual parts take\n")


if __name__ == "__main__":
    main()
