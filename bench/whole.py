"""What an event takes from the queue into Azure Monitor, beside the usual libraries.

`python -m bench`. Ours claims, prices, counts, exports. The usual: pydantic, genai-prices,
OpenTelemetry's instruments and Microsoft's exporter; it claims nothing. Both send to a server in
another process.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.export import rows
from bench.measured import ROUNDS, Measured, compared, cpu_us
from bench.process import batch, in_memory, ours, usual
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.storage import tables
from shared.storage.rows import Database
from shared.storage.sqlite import connect
from shared.storage.stores import stores_of
from shared.usecases.processing.process import Stores
from tests.breeze import connection
from tests.contract.azurite import emulator

MESSAGES = {500: 2, 25: 16, 1: 40}
"""Events of a message → messages in a round."""
TARGETS = {500: (0.3, 0.2)}
OVER_TABLES = {500: (0.9, 0.6), 25: (1.5, 1.2), 1: (3.0, 2.5)}
Work = Callable[[str], object]
USUAL = "pydantic, genai-prices, OTel instruments, SDK export()"


def stores_in(database: Database) -> Stores:
    """Return what a message is remembered in."""
    made = stores_of(database)
    return Stores(made.claims, made.series, made.labels, made.traces)


def measure(url: str) -> list[Measured]:
    """Compare both for each store and size of a message."""
    with TemporaryDirectory() as name, emulator(folder := Path(name)) as azurite:
        sqlite, azure = connect(folder / "state.db"), tables.connect(azurite.account())
        with closing(sqlite), closing(azure):
            return [
                *_of("memory", in_memory(), url, TARGETS),
                *_of("SQLite", stores_in(sqlite), url, TARGETS),
                *_of("Azure Tables (Azurite)", stores_in(azure), url, OVER_TABLES),
            ]


def _of(
    name: str, stores: Stores, url: str, targets: Mapping[int, tuple[float, float]]
) -> Iterator[Measured]:
    own, sdk = (AzureMonitorExporter(connection(url), all_by_sdk=by) for by in (False, True))
    run, parts = ours(stores, own), usual()
    for size, count in MESSAGES.items():
        pairs = [_round(size, count, number, run, parts, sdk) for number in range(ROUNDS)]
        what = f"process and export, {name}, {size} a message"
        yield Measured(what, "event", USUAL, *compared(pairs), *targets.get(size, ()))


def _round(
    size: int, count: int, number: int, run: Work, parts: Work, sdk: AzureMonitorExporter
) -> tuple[float, float]:
    """Do as many new messages by both; return what an event took of each."""
    sent = rows(size)
    texts = [batch(size * 10**6 + number * 10**3 + n, size) for n in range(count)]
    gc.freeze()

    def by_us() -> None:
        for text in texts:
            run(text)

    def by_them() -> None:
        for text in texts:
            parts(text)
            sdk.events(sent)

    return cpu_us(by_us, size * count), cpu_us(by_them, size * count)
