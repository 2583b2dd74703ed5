"""What the log shows of spans that came in several messages: the real pipeline, in memory."""

from collections.abc import Sequence
from contextlib import closing

from replay.azure import DirectExporter
from shared.events.message import pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Span
from shared.pricing.price import load
from shared.usecases.processing.process import Process, Stores
from standin.monitor.store import MonitorStore
from standin.monitor.usage_kql import usage_events_kql
from tests.fakes import START, FakeClock
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

PRICES = load("")


def logged(messages: Sequence[Sequence[Span]], *columns: str) -> list[tuple[object, ...]]:
    """Return those columns of the model calls in UsageEvents, in order of the columns.

    The function that Azure runs and the stand-in's table must agree.
    """
    shown = f'\n| where Name == "llm.call"\n| project {", ".join(columns)}'
    with closing(MonitorStore(None, FakeClock())) as store:
        traces = MemoryTraces()
        stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), traces)
        process = Process(stores, DirectExporter(store), PRICES, 200)
        for spans in messages:
            for text in pack_parcels(read_spans(spans, START, 0).parcels, START):
                process.run(text, 1, START)
        table, function = (
            store.query(f"{f}{shown}").rows for f in ("UsageEvents", usage_events_kql())
        )
    assert sorted(table, key=repr) == sorted(function, key=repr)
    return sorted(table, key=repr)
