"""What the log shows of spans that came in several messages: the real pipeline, in memory."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from ops.generated.usage_kql import usage_events_kql
from replay.azure import DirectExporter
from shared.events.columns import ATTEMPT, OWNER, OWNER_ROW, SPAN_CHARS
from shared.events.message import pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Span
from shared.ports import Exporter
from shared.pricing.price import load
from shared.rows import EventRow
from shared.usecases.processing.process import Process, Stores
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

PRICES = load("")


def rows_told(messages: Sequence[Sequence[Span]], at: datetime) -> list[EventRow]:
    """Return the rows of the model calls, with whose work they are as UsageEvents shows it."""
    exporter = FakeExporter()
    _process(messages, exporter, at)
    owners: dict[str, tuple[float, Mapping[str, str]]] = {}
    for row in exporter.event_rows:
        if row.name == OWNER_ROW:
            known, owner = row.numbers["known"], {k: v for k, v in row.text.items() if k in OWNER}
            for span_id in row.text["spans"].split(","):
                key = f"{row.text['source']}:{row.text['trace']}:{span_id}"
                owners[key] = max(
                    owners.get(key, (0.0, {})), (known, owner), key=lambda one: one[0]
                )
    calls = shown_once(exporter.event_rows)
    keys = [f"{row.text['source']}:{row.text['id'][:SPAN_CHARS]}" for row in calls]
    return [
        replace(row, text={**row.text, **owners.get(key, (0.0, {}))[1]})
        for row, key in zip(calls, keys, strict=True)
    ]


def shown_once(rows: Sequence[EventRow], kind: str = "llm.call") -> list[EventRow]:
    """Return the rows of a kind as UsageEvents shows them: of each event the last attempt."""
    last: dict[tuple[str, str], EventRow] = {}
    for row in rows:
        key = row.text.get("source", ""), row.text.get("id") or f"{row.operation_id} {row.time}"
        if row.name == kind and (key not in last or _attempt(last[key]) <= _attempt(row)):
            last[key] = row
    return list(last.values())


def _attempt(row: EventRow) -> float:
    return row.numbers.get(ATTEMPT, 1.0)


def _process(messages: Sequence[Sequence[Span]], exporter: Exporter, at: datetime) -> None:
    stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), MemoryTraces())
    process = Process(stores, exporter, PRICES, 200)
    for spans in messages:
        for text in pack_parcels(read_spans(spans, at, 0).parcels, at):
            process.run(text, 1, at)


def logged(messages: Sequence[Sequence[Span]], *columns: str) -> list[tuple[object, ...]]:
    """Return those columns of the model calls in UsageEvents, in order of the columns.

    The function that Azure runs and the stand-in's table must agree.
    """
    shown = f'\n| where Name == "llm.call"\n| project {", ".join(columns)}'
    with closing(MonitorStore(None, FakeClock())) as store:
        _process(messages, DirectExporter(store), START)
        table, function = (
            store.query(f"{f}{shown}").rows for f in ("UsageEvents", usage_events_kql())
        )
    assert sorted(table, key=repr) == sorted(function, key=repr)
    return sorted(table, key=repr)
