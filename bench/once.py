"""What counting once costs: events a second through Process, with and without duplicates.

`python -m bench.once`. Model calls with response ids in batches of 200; with duplicates, a fifth of
each batch was sent before, a fifth is another instrumentation's, and every fifth batch comes again.
Rows go nowhere; claims and totals are kept in memory, then in a SQLite file.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from bench.process import BOOK, NOW, Nowhere
from shared.events.envelope import judge
from shared.events.message import pack
from shared.pricing.price import load
from shared.storage.sqlite import connect
from shared.storage.stores import stores_of
from shared.usecases.processing.process import Process, Stores
from tests.factories import event
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

CALLS = 10_000
BATCH = 200
FIFTH = 5


def call(number: int) -> dict[str, Any]:
    return event(number=number, model="gpt-4o", response_id=f"chatcmpl-{number:029}")


def twin(number: int) -> dict[str, Any]:
    return {**call(number), "id": f"span-{number}", "source": "another"}


def batches(*, with_duplicates: bool) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield what is sent; each call is new once."""
    for start in range(0, CALLS, BATCH):
        numbers = range(start, start + BATCH)
        new = [call(number) for number in numbers]
        if not with_duplicates:
            yield new
            continue
        again = [call(number - BATCH) for number in numbers[::FIFTH] if start]
        batch = [*new, *again, *(twin(number) for number in numbers[::FIFTH])]
        yield from [batch] * (2 if start // BATCH % FIFTH == 0 else 1)


def in_memory(_: Path, __: ExitStack) -> Stores:
    return Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), MemoryTraces())


def in_sqlite(folder: Path, closes: ExitStack) -> Stores:
    database = closes.enter_context(closing(connect(folder / "state.db")))
    stores = stores_of(database)
    return Stores(stores.claims, stores.series, stores.labels, stores.traces)


STORES: Mapping[str, Callable[[Path, ExitStack], Stores]] = {
    "memory": in_memory,
    "sqlite": in_sqlite,
}


def measured(stores: Stores, *, with_duplicates: bool) -> tuple[int, float, Decimal]:
    """Return how many events were sent, the seconds they took, and the calls that were counted."""
    process = Process(stores, Nowhere(), load(BOOK.read_text()), label_max_values=200)
    texts = [
        (text, len(batch))
        for batch in batches(with_duplicates=with_duplicates)
        for text in pack(judge(batch, NOW)[0], NOW)
    ]
    gc.freeze()
    began = perf_counter()
    for text, _ in texts:
        process.run(text, 1, NOW)
    took = perf_counter() - began
    counters = stores.series.read().counters
    counted = (amount for (name, _), amount in counters.items() if name == "llm_api_calls_total")
    return sum(sent for _, sent in texts), took, sum(counted, Decimal(0))


def main() -> None:
    out = sys.stdout.write
    out(f"{'claims in':12}{'duplicates':>12}{'events/s':>12}{'calls/s':>12}{'counted':>12}\n")
    for name, open_stores in STORES.items():
        for with_duplicates in (False, True):
            with TemporaryDirectory() as folder, ExitStack() as closes:
                stores = open_stores(Path(folder), closes)
                sent, took, counted = measured(stores, with_duplicates=with_duplicates)
            said = f"{sent - CALLS:,}"
            out(f"{name:12}{said:>12}{sent / took:12,.0f}{CALLS / took:12,.0f}{counted:12,}\n")
            if counted != CALLS:
                raise SystemExit(f"{counted} calls were counted, {CALLS} were made")


if __name__ == "__main__":
    main()
