"""What a million events cost in Log Analytics, from the bytes that the exporter really sends.

`python -m bench.bytes`. Events go through the real processing and the real exporter to a server on
loopback; the stand-in makes of each item the row that Azure keeps. A row is billed for the text of
its columns, but for those that Azure names as free (learn.microsoft.com, Azure Monitor Logs cost
calculations, "Data size calculation"); what the service adds by itself is added here too.

A minute's metrics are a row for each series that grew, however many events came: what a million of
them cost depends on how many come in a minute. Here as many come in each, and after each the
metrics are written as the timer does.
"""

import json
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from local.fleet.runner import Fleet
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.events.envelope import judge
from shared.events.message import pack, pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.pricing.price import load
from shared.usecases.evaluation.write_metrics import Minutely
from shared.usecases.processing.process import Process, Stores
from standin.monitor.breeze import judge as judged
from standin.monitor.breeze import sizes_of
from standin.monitor.rows import Row
from standin.monitor.schema import TABLES
from tests.breeze import connection
from tests.in_memory import MemoryClaims, MemoryLabels, MemoryMark, MemorySeries, MemoryTraces
from tests.loopback import Loopback, Reply, Request, loopback
from tests.spans import CHAT, span

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
BOOK = Path(__file__).parents[1] / "config" / "prices.toml"
USD_PER_GB = 2.30
"""East US, pay as you go, Analytics logs; azure.microsoft.com/pricing/details/monitor, 2026-11."""
TARGET_USD = 1.50
FREE = {
    *("_ResourceId", "_SubscriptionId", "_ItemId", "_IsBillable", "_BilledSize", "Type"),
    "_TimeReceived",  # computed when it is asked for
}
ADDED = {
    "TenantId": 36,
    "ResourceGUID": 36,
    "TimeGenerated": 28,
    "ClientCity": 8,
    "ClientStateOrProvince": 8,
    "ClientCountryOrRegion": 13,
}
"""What the service writes into these columns, in characters: ids, a time, Boydton in Virginia."""

Event = Mapping[str, object]
Send = Callable[[Sequence[Event], int], Iterable[str]]
MINUTES = 2


@dataclass(frozen=True, slots=True)
class Bill:
    """What some events cost. series: that they grow in a minute. table → rows, table → bytes."""

    events: int
    series: int
    rows: Counter[str]
    size: Counter[str]

    def usd_per_million(self, table: str) -> float:
        """Return what the rows of that table cost for a million such events."""
        return self.size[table] / self.events * 1e6 / 1e9 * USD_PER_GB

    def explained(self, table: str) -> str:
        """Return how the cost of that table comes about."""
        each, size = self.rows[table] / self.events, self.size[table] / self.rows[table]
        return f"{table} {each:.2f} x {size:.0f} B = ${self.usd_per_million(table):.2f}"


def calls(count: int) -> Sequence[Event]:
    """Return model calls as a fleet of five teams makes them: traced, of three models."""
    rng = Random(1)
    models = (("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4o-mini"))
    return [_call(rng, n, *models[n % 3]) for n in range(count)]


def _call(rng: Random, number: int, provider: str, model: str) -> Event:
    tokens = {"input_tokens": rng.randrange(200, 9000), "output_tokens": rng.randrange(20, 900)}
    return {
        "specversion": "1.0",
        "id": str(uuid.UUID(int=rng.getrandbits(128))),
        "source": "research-agents",
        "type": "llm.call",
        "time": (NOW - timedelta(seconds=number % 60)).isoformat(),
        "traceparent": f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-01",
        "data": {
            "provider": provider,
            "model": model,
            "status": "success",
            "duration_s": round(rng.uniform(0.4, 9), 3),
            "usage": tokens,
            "team_id": f"team-{number % 5}",
            "agent_id": f"agent-{number % 40}",
            "agent_type": "researcher",
            "mission_id": f"mission-{number % 90}",
        },
    }


def fleet(count: int) -> Sequence[Event]:
    """Return what the laptop's simulated fleet sends in healthy hours: every kind of event."""
    made = Fleet(1, NOW, incidents=False).events_between(NOW - timedelta(hours=20), NOW)
    return made[:count]


def posted(events: Sequence[Event], batch: int) -> Iterator[str]:
    """Yield the queue messages of requests with so many events."""
    for start in range(0, len(events), batch):
        valid, refused = judge(events[start : start + batch], NOW)
        assert not refused
        yield from pack(valid, NOW)


def traced(events: Sequence[Event], batch: int) -> Iterator[str]:
    """Yield those of the same calls when an OpenTelemetry exporter reports them."""
    ids = [uuid.UUID(str(event["id"])).hex for event in events]
    spans = [replace(span(CHAT, n), trace_id=id) for n, id in enumerate(ids, 1)]
    for start in range(0, len(spans), batch):
        reading = read_spans(spans[start : start + batch], NOW, 0)
        yield from pack_parcels(reading.parcels, NOW)


def bill(events: Sequence[Event], send: Send, batch: int, a_minute: int) -> Bill:
    """Process the events, so many a minute, and add up the rows that came out."""
    with loopback(_taken) as server:
        stores = Stores(
            MemoryClaims(),
            MemorySeries(),
            MemoryLabels(),
            MemoryTraces(),
        )
        exporter = AzureMonitorExporter(connection(server.url))
        process = Process(stores, exporter, load(BOOK.read_text(encoding="utf-8")), 200)
        minutely = Minutely(stores.series, MemoryMark(), lambda: exporter)
        minutely.write(NOW)
        for minute, start in enumerate(range(0, len(events), a_minute), 1):
            now = NOW + timedelta(minutes=minute)
            for text in send(events[start : start + a_minute], batch):
                process.run(text, 1, now)
            minutely.write(now)
        return _billed(server, len(events), len(events) // a_minute)


def _taken(request: Request) -> Reply:
    count = len(request.json())
    answer: dict[str, object] = {"itemsReceived": count, "itemsAccepted": count, "errors": []}
    return Reply(200, json.dumps(answer).encode())


def _billed(server: Loopback, events: int, minutes: int) -> Bill:
    rows, size = Counter[str](), Counter[str]()
    for request in server.received:
        items = request.json()
        batch, answer = judged(items, sizes_of(items, len(request.body)), NOW)
        assert not answer.errors
        for table, made in batch.tables.items():
            rows[table] += len(made)
            size[table] += sum(row_bytes(table, row) for row in made)
    return Bill(events, rows["AppMetrics"] // minutes, rows, size)


def row_bytes(table: str, row: Row) -> int:
    """Return what Azure bills for the row."""
    cells = dict(zip(TABLES[table].names, row, strict=True))
    counted = {name: len(_text(value)) for name, value in cells.items() if name not in FREE}
    return sum((counted | ADDED).values())


def _text(value: object) -> str:
    return "" if value is None else str(value)


CASES: Sequence[tuple[str, Callable[[int], Sequence[Event]], Send, int, int]] = (
    ("model calls", calls, posted, 1, 25),
    ("model calls", calls, posted, 1, 100),
    ("model calls", calls, posted, 1, 1_000),
    ("model calls", calls, posted, 100, 1_000),
    ("a mixed fleet", fleet, posted, 1, 100),
    ("a mixed fleet", fleet, posted, 1, 1_000),
    ("a mixed fleet", fleet, posted, 100, 1_000),
    ("spans of model calls", calls, traced, 500, 1_000),
)
"""What is sent: how many a request, and how many a minute."""


def main() -> None:
    say = sys.stdout.write
    say("a million events; by table: rows of an event x bytes of a row\n")
    for name, make, send, batch, a_minute in CASES:
        one = bill(make(a_minute * MINUTES), send, batch, a_minute)
        total = sum(map(one.usd_per_million, one.size))
        verdict = "" if total <= TARGET_USD else f", over ${TARGET_USD:.2f}"
        case = f"{name}, {batch} a request, {a_minute:,} a minute, {one.series} rows of metrics"
        say(f"{case:76} ${total:.2f}{verdict}: {', '.join(map(one.explained, sorted(one.size)))}\n")


if __name__ == "__main__":
    main()
