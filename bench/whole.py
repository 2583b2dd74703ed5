"""What an event takes from the queue into Azure Monitor, beside the usual libraries.

`python -m bench`. Ours claims, prices, counts, exports. The usual: pydantic, genai-prices,
OpenTelemetry's instruments and Microsoft's exporter; it claims nothing. Both send to a server in
another process.
"""

import gc
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.export import rows
from bench.measured import ROUNDS, Measured, compared, cpu_us
from bench.process import batch, in_memory, ours, usual
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.storage.sqlite import connect
from shared.storage.stores import stores_of
from shared.usecases.processing.process import Stores
from tests.breeze import connection

MESSAGES = {500: 2, 25: 16, 1: 40}
"""Events of a message → messages in a round."""
TARGETS = {500: (0.3, 0.2)}
Work = Callable[[str], object]
USUAL = "pydantic, genai-prices, OTel instruments, SDK export()"


@contextmanager
def in_sqlite() -> Generator[Stores]:
    with TemporaryDirectory() as folder, closing(connect(Path(folder) / "state.db")) as database:
        made = stores_of(database)
        yield Stores(made.claims, made.series, made.labels, made.traces)


def measure(url: str) -> list[Measured]:
    """Compare both for each store and size of a message."""
    with in_sqlite() as stores:
        return [*_of("memory", in_memory(), url), *_of("SQLite", stores, url)]


def _of(name: str, stores: Stores, url: str) -> Iterator[Measured]:
    own, sdk = (AzureMonitorExporter(connection(url), all_by_sdk=by) for by in (False, True))
    run, parts = ours(stores, own), usual()
    for size, count in MESSAGES.items():
        pairs = [_round(size, count, number, run, parts, sdk) for number in range(ROUNDS)]
        what = f"process and export, {name}, {size} a message"
        yield Measured(what, "event", USUAL, *compared(pairs), *TARGETS.get(size, ()))


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
