"""What a million events cost in Log Analytics, from the bytes that the exporter really sends.

`python -m bench.bytes`. Events go through the real processing and the real exporter to a server on
loopback; the stand-in makes of each item the row that Azure keeps. A row is billed for the text of
its columns, but for those that Azure names as free (learn.microsoft.com, Azure Monitor Logs cost
calculations, "Data size calculation"); what the service adds by itself is added here too.
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

from local.fleet import Fleet
from local.monitor.breeze import judge as judged
from local.monitor.breeze import sizes_of
from local.monitor.rows import Row
from local.monitor.schema import TABLES
from shared.adapters.azure_monitor import AzureMonitorExporter
from shared.adapters.memory import MemoryClaims, MemoryLabels, MemorySeries
from shared.events.envelope import judge
from shared.events.message import pack, pack_parcels
from shared.events.otlp import read_spans
from shared.pricing.price import load
from shared.usecases.process import Process, Stores
from tests.breeze import connection
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


@dataclass(frozen=True, slots=True)
class Bill:
    """What some events cost. table → rows, table → bytes."""

    events: int
    rows: Counter[str]
    size: Counter[str]

    def usd_per_million(self, table: str) -> float:
        """Return what the rows of that table cost for a million such events."""
        return self.size[table] / self.events * 1e6 / 1e9 * USD_PER_GB

    def told(self, table: str) -> str:
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
    """Return what the laptop's simulated fleet sends in a healthy hour: every kind of event."""
    made = Fleet(1, NOW, incidents=False).events_between(NOW - timedelta(minutes=40), NOW)
    return made[:count]


def posted(events: Sequence[Event], batch: int) -> Iterator[str]:
    """Yield the queue messages of requests with so many events."""
    for start in range(0, len(events), batch):
        valid, refused = judge(events[start : start + batch], NOW)
        assert not refused
        yield from pack(valid, NOW)


def traced(events: Sequence[Event], batch: int) -> Iterator[str]:
    """Yield those of the same calls when an OpenTelemetry exporter reports them."""
    spans = [replace(span(CHAT, n), trace_id=f"{n:032x}") for n in range(1, len(events) + 1)]
    for start in range(0, len(spans), batch):
        reading = read_spans(spans[start : start + batch], NOW, 0)
        yield from pack_parcels(reading.parcels, NOW)


def bill(messages: Iterable[str], events: int) -> Bill:
    """Process the messages, and add up the rows that came out."""
    with loopback(_taken) as server:
        stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels())
        exporter = AzureMonitorExporter(connection(server.url))
        process = Process(stores, exporter, load(BOOK.read_text(encoding="utf-8")), 200)
        for text in messages:
            process.run(text, 1, NOW)
        return _billed(server, events)


def _taken(request: Request) -> Reply:
    count = len(request.json())
    answer: dict[str, object] = {"itemsReceived": count, "itemsAccepted": count, "errors": []}
    return Reply(200, json.dumps(answer).encode())


def _billed(server: Loopback, events: int) -> Bill:
    rows, size = Counter[str](), Counter[str]()
    for request in server.received:
        items = request.json()
        batch, answer = judged(items, sizes_of(items, len(request.body)), NOW)
        assert not answer.errors
        for table, made in batch.tables.items():
            rows[table] += len(made)
            size[table] += sum(row_bytes(table, row) for row in made)
    return Bill(events, rows, size)


def row_bytes(table: str, row: Row) -> int:
    """Return what Azure bills for the row."""
    cells = dict(zip(TABLES[table].names, row, strict=True))
    counted = {name: len(_text(value)) for name, value in cells.items() if name not in FREE}
    return sum((counted | ADDED).values())


def _text(value: object) -> str:
    return "" if value is None else str(value)


CASES: Sequence[tuple[str, Sequence[Event], Send, int]] = (
    ("model calls, one a request", calls(2_000), posted, 1),
    ("model calls, 10 a request", calls(2_000), posted, 10),
    ("model calls, 100 a request", calls(2_000), posted, 100),
    ("model calls, 500 a request", calls(2_000), posted, 500),
    ("a mixed fleet, 100 a request", fleet(2_000), posted, 100),
    ("a mixed fleet, 500 a request", fleet(2_000), posted, 500),
    ("spans of calls, 500 a request", calls(2_000), traced, 500),
)


def main() -> None:
    say = sys.stdout.write
    say("a million events; by table: rows of an event x bytes of a row\n")
    for name, events, send, batch in CASES:
        one = bill(send(events, batch), len(events))
        total = sum(map(one.usd_per_million, one.size))
        verdict = "" if total <= TARGET_USD else f", over ${TARGET_USD:.2f}"
        say(f"{name:30} ${total:.2f}{verdict}: {', '.join(map(one.told, sorted(one.size)))}\n")


if __name__ == "__main__":
    main()
