"""Keeps the laptop's files small: what is older than KEEP_DAYS, or beyond KEEP_MB, goes."""

import logging
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import duckdb

from shared.clock import Clock
from standin.monitor.size import used_bytes
from standin.monitor.store import MonitorStore
from standin.pager.sink import PagerSink

EVERY_S = 3600
LEAST_BYTES = 8 * 2**20
"""A smaller file is left as it is."""
COMPACTED = ".compacted"
logger = logging.getLogger("agentmeter.local")


class Keeping:
    """Removes what is too old or too much, at once and then each hour.

    days: how old telemetry and calls of the pager grow. most_bytes: of telemetry.
    """

    def __init__(
        self, monitor: MonitorStore, sink: PagerSink, clock: Clock, days: int, most_bytes: int
    ) -> None:
        self._monitor = monitor
        self._sink = sink
        self._clock = clock
        self._age = timedelta(days=days)
        self._most_bytes = most_bytes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when a purge that is at work is over."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def purge(self) -> int:
        """Remove it now; return how many rows."""
        first = self._clock.now() - self._age
        rows = self._sink.purge_before(first) + self._monitor.purge_before(first)
        return rows + self._monitor.trim(self._most_bytes)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.purge()
            except (duckdb.Error, sqlite3.Error) as exc:
                logger.warning("Old telemetry was not removed: %s", exc)
            self._over.wait(EVERY_S)


def shrink(home: Path) -> None:
    """Write the databases of that folder anew of which half or more is free.

    Nothing may have them open. After a crash each file is the old one, or the new.
    """
    for name in ("host.db", "pager.db", "state.db"):
        if _is_large(home / name):
            _vacuum(home / name)
    log = home / "monitor.duckdb"
    log.with_suffix(COMPACTED).unlink(missing_ok=True)
    if _is_large(log):
        _copy(log, log.with_suffix(COMPACTED))


def _is_large(path: Path) -> bool:
    return path.exists() and path.stat().st_size > LEAST_BYTES


def _vacuum(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        counts = ("freelist_count", "page_count")
        (free,), (pages,) = (file.execute(f"PRAGMA {name}").fetchone() for name in counts)
        if 2 * free > pages:
            file.execute("VACUUM")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy(path: Path, fresh: Path) -> None:
    """DuckDB fills free blocks again but never gives them back: a copy has none."""
    with closing(duckdb.connect(str(path))) as file:
        file.execute("CHECKPOINT")
        used, size = used_bytes(file)
        if 2 * used > size:
            return
        quoted = str(fresh).replace("'", "''")
        file.execute(f"ATTACH '{quoted}' AS fresh")
        file.execute(f'COPY FROM DATABASE "{path.stem}" TO fresh')
        file.execute("DETACH fresh")
    fresh.replace(path)
