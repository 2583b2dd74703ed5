"""How much memory a worker process holds after a million events, over SQLite, with no restart.

`python -m bench.memory`; `--events 200000` for fewer. Messages of 500 events are claimed, priced,
counted and exported to a server in another process; totals are compacted as once a minute.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from os import getpid
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import export
from bench.process import BOOK, NOW, batch
from bench.whole import stores_in
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.pricing.price import load
from shared.storage.sqlite import connect
from shared.usecases.processing.process import Process
from tests.breeze import connection
from tests.trust.memory import Sample, flat, resident_mb

SIZE = 500
MINUTE_OF = 24
"""Messages between two compactions."""
SAMPLES = 20
MOST_GROWTH, MOST_MB = 1.05, 150


def grow(url: str, file: Path, events: int) -> Iterator[Sample]:
    """Process so many events; yield SAMPLES samples of the process's memory on the way."""
    began_s = time.monotonic()
    messages = events // SIZE
    with closing(connect(file)) as database:
        stores = stores_in(database)
        exporter = AzureMonitorExporter(connection(url))
        process = Process(stores, exporter, load(BOOK.read_text()), label_max_values=200)
        for number in range(messages):
            now = NOW + timedelta(minutes=number // MINUTE_OF)
            process.run(batch(number, SIZE), 1, now)
            if number % MINUTE_OF == 0:
                stores.series.compact(now)
            if (number + 1) % (messages // SAMPLES) == 0:
                done_s = round(time.monotonic() - began_s, 1)
                yield Sample((number + 1) * SIZE, resident_mb(getpid()), done_s)


def main() -> int:
    """Print the samples; return 1 where memory grew, or is more than it may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    samples = list[Sample]()
    with export.taking() as url, TemporaryDirectory() as folder:
        for sample in grow(url, Path(folder) / "state.db", parser.parse_args().events):
            samples.append(sample)
            sys.stdout.write(f"{sample.events:>10,} {sample.mb:6.1f} MB {sample.after_s:7.1f} s\n")
            sys.stdout.flush()
    growth, most = flat(samples), max(sample.mb for sample in samples)
    sys.stdout.write(f"growth {growth:.2f} (at most {MOST_GROWTH}), {most:.0f} MB ({MOST_MB})\n")
    return int(growth > MOST_GROWTH or most > MOST_MB)


if __name__ == "__main__":
    raise SystemExit(main())
