"""What a message costs over Azure Tables: CPU beside the usual libraries, and requests.

`python -m bench.tables` (needs node, for Azurite). The usual way prices with genai-prices, adds to
OpenTelemetry's instruments and sends each event through Azure Monitor's own exporter; it remembers
nothing. Ours does the same work, and claims, totals and tallies besides. What answers runs in
processes of its own, so that only what asks is measured. Judge by the ratios.
"""

import gc
import multiprocessing
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time

from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

from bench.process import BOOK, KINDS, NOW, usual
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.adapters.azure.quiet import quiet_sdk
from shared.errors import RetryLater
from shared.events.envelope import judge
from shared.events.message import decode, pack, pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.pricing.price import load
from shared.storage import sqlite, tables, tables_sdk
from shared.storage.rows import EVERY, Change, Database, Row, Rows, Transaction, Within
from shared.storage.stores import stores_of
from shared.usecases.processing.process import Process, Stores
from tests.breeze import connection
from tests.contract.azurite import emulator
from tests.factories import event
from tests.loopback import Reply, Request, loopback
from tests.spans import CHAT, span

SIZES = {500: 6, 25: 40, 1: 60}
"""Events of a message, and how many messages are measured."""
SPANS = 25
Run = Callable[[str], object]


class Counted:
    """A table, and how often it was asked. steps: one after another."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.requests = self.steps = 0

    def _count(self, requests: int) -> None:
        self.requests += requests
        self.steps += bool(requests)

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        self._count(1)
        return self._rows.get(partition, key, *fields)

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        self._count(len(places))
        return self._rows.get_each(places, *fields)

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        self._count(1)
        return self._rows.query(partitions, keys, *fields)

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        self._count(len(places))
        return self._rows.query_each(places)

    def commit(self, partition: str, changes: Sequence[Change]) -> None:
        self._count(1)
        self._rows.commit(partition, changes)

    def commit_each(self, transactions: Sequence[Transaction]) -> Sequence[bool]:
        self._count(len(transactions))
        return self._rows.commit_each(transactions)


class CountedDatabase:
    """A database whose tables are counted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tables: list[Counted] = []

    def table(self, name: str) -> Rows:
        self.tables.append(counted := Counted(self._database.table(name)))
        return counted

    def close(self) -> None:
        self._database.close()

    def take(self) -> tuple[int, int]:
        """Return how many requests there were, and how many one after another, since the last."""
        found = sum(t.requests for t in self.tables), sum(t.steps for t in self.tables)
        for table in self.tables:
            table.requests = table.steps = 0
        return found


def _sink(to: Connection) -> None:
    def taken(request: Request) -> Reply:
        items = len(request.json())
        said = f'{{"itemsReceived":{items},"itemsAccepted":{items},"errors":[]}}'
        return Reply(200, said.encode())

    with loopback(taken) as server:
        to.send(server.url)
        to.recv()


@contextmanager
def sink() -> Generator[str, None, None]:
    """Serve, in a process of its own, what takes every item; yield its address."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_sink, args=(there,))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join()


def ours(database: Database, address: str) -> Run:
    stores = stores_of(database)
    exporter = AzureMonitorExporter(connection(address))
    process = Process(
        Stores(stores.claims, stores.series, stores.labels, stores.traces),
        exporter,
        load(BOOK.read_text()),
        label_max_values=200,
    )
    return lambda text: process.run(text, 1, NOW)


def usual_with_export(address: str) -> Run:
    """Return what prices, counts and sends as the libraries do by themselves."""
    count = usual()
    provider = LoggerProvider()
    exporter = AzureMonitorLogExporter(
        connection_string=connection(address), disable_offline_storage=True
    )
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("bench")

    def run(text: str) -> None:
        count(text)
        for each in decode(text).events:
            attributes = {"microsoft.custom_event.name": each.type, "id": each.id}
            attributes |= {k: str(v) for k, v in each.data.model_dump(exclude_none=True).items()}
            logger.emit(LogRecord(timestamp=1, body="", attributes=attributes))
        provider.force_flush()

    return run


def messages(size: int, name: str) -> Iterator[str]:
    """Yield queue messages of so many new events."""
    for number in range(SIZES[size] + 2):
        given = [
            {
                **event(KINDS[n % len(KINDS)]),
                "id": f"{name}-{size}-{number}-{n}",
                "time": NOW.isoformat(),
            }
            for n in range(size)
        ]
        (text,) = pack(judge(given, NOW)[0], NOW)
        yield text


def cpu_ms(run: Run, texts: Iterator[str]) -> float:
    """Return the milliseconds of CPU that a message takes, the first two left out."""
    took: list[float] = []
    for text in texts:
        began = process_time()
        with suppress(RetryLater):  # a busy machine's Azurite may take longer than is waited
            run(text)
            took.append((process_time() - began) * 1e3)
    return median(took[2:])


def requests_of(database: CountedDatabase, run: Run) -> Mapping[str, tuple[int, int]]:
    """Return the requests of one message of each kind, after others have come."""
    kinds = {f"{size:>3} events": next(messages(size, "count")) for size in SIZES}
    spans = [span(CHAT, n + 1) for n in range(SPANS)]
    (kinds[f"{SPANS:>3} spans (OTLP)"],) = pack_parcels(read_spans(spans, NOW, 0).parcels, NOW)
    database.take()
    found: dict[str, tuple[int, int]] = {}
    for name, text in kinds.items():
        run(text)
        found[name] = database.take()
    return found


def main() -> None:
    quiet_sdk()
    out = sys.stdout.write
    with TemporaryDirectory() as folder, ExitStack() as closing:
        azurite = closing.enter_context(emulator(Path(folder)))
        address = closing.enter_context(sink())
        counted = CountedDatabase(tables.connect(azurite.account()))
        databases: Mapping[str, Database] = {
            "azure tables": counted,
            "its own library": tables_sdk.connect(azurite.account()),
            "sqlite": sqlite.connect(Path(folder) / "state.db"),
        }
        runs = {name: ours(database, address) for name, database in databases.items()}
        runs = {"the usual way": usual_with_export(address), **runs}
        out(f"{'CPU of a message, ms':22}" + "".join(f"{n:>10} events" for n in SIZES) + "\n")
        usually: dict[int, float] = {}
        for name, run in runs.items():
            gc.freeze()
            took = {size: cpu_ms(run, messages(size, name)) for size in SIZES}
            usually = usually or took
            shown = "".join(f"{took[n]:9.1f} ({took[n] / usually[n]:.2f})" for n in SIZES)
            out(f"{name:22}{shown}\n")
        out(f"\n{'requests to tables':22}{'all':>8}{'one after another':>20}\n")
        for name, (requests, steps) in requests_of(counted, runs["azure tables"]).items():
            out(f"{name:22}{requests:8}{steps:20}\n")
        for database in databases.values():
            database.close()


if __name__ == "__main__":
    main()
