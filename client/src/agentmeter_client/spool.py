"""Batches on disk that the endpoint did not take yet; they survive the end of the process."""

from __future__ import annotations

import gzip
import os
import zlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agentmeter_client.clock import now
from agentmeter_client.event import join, split

MAX_AGE_S = 7 * 86_400.0
"""The API knows a repeat for 8 days: an older batch might be counted twice."""


class Kept(NamedTuple):
    """A file of the spool, as its name says: when its first event came, whose, how many."""

    name: str
    since_s: float
    events: int
    size: int


class Spool:
    """A directory of gzipped batches, oldest first, bounded in bytes.

    Processes may share a directory: a batch that two of them send counts once. Methods raise
    OSError where the disk does not do as asked.
    """

    def __init__(self, folder: Path, line: str, limit_bytes: int, batch_events: int) -> None:
        self._folder = folder
        self._line = line
        self._limit_bytes = limit_bytes
        self._batch_events = batch_events
        self._written = 0
        self._last: Kept | None = None
        self.dropped = 0
        self.files: deque[Kept] = deque()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take_over(self) -> None:
        """Take up what earlier processes left behind."""
        self.files.extend(sorted(filter(None, map(_kept, self._folder.glob("*.gz")))))

    @property
    def events(self) -> int:
        """Return how many events the known files hold; any thread may ask."""
        return sum(kept.events for kept in tuple(self.files))

    def keep(self, events: Sequence[bytes]) -> None:
        """Write a batch; small ones that follow each other share a file."""
        last, since_s, whole = self._last, now(), list(events)
        merge = last in self.files and last and last.events + len(whole) <= self._batch_events
        if merge and last:
            since_s, whole = last.since_s, [*self.read(last), *whole]
        self._last = self._write(since_s, whole)
        self.files.append(self._last)
        if merge and last:
            self.remove(last)
        self._bound()

    def oldest(self) -> Kept | None:
        """Return the file that is next; those so old that a duplicate would not be noticed are
        dropped.
        """
        while self.files and now() - self.files[0].since_s > MAX_AGE_S:
            self._drop()
        return self.files[0] if self.files else None

    def read(self, kept: Kept) -> list[bytes]:
        """Return the events of a file, none where another process was faster or it is broken."""
        try:
            return split(gzip.decompress((self._folder / kept.name).read_bytes()))
        except FileNotFoundError:
            return []
        except (gzip.BadGzipFile, EOFError, zlib.error):
            self.dropped += kept.events
            return []

    def remove(self, kept: Kept) -> None:
        """Forget a file: its events are delivered, or in another file."""
        (self._folder / kept.name).unlink(missing_ok=True)
        self.files.remove(kept)

    def _write(self, since_s: float, events: Sequence[bytes]) -> Kept:
        """Write a file so that it is there as a whole or not at all, even if the power goes."""
        self._written += 1
        name = f"{int(since_s * 1000):014d}-{self._line}-{self._written:06d}-{len(events)}.gz"
        packed = gzip.compress(join(events), 6)
        draft = self._folder / f"{name}.tmp"
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / name)
        return Kept(name, since_s, len(events), len(packed))

    def _bound(self) -> None:
        """Let the oldest files give way; the newest always stays."""
        while len(self.files) > 1 and sum(f.size for f in self.files) > self._limit_bytes:
            self._drop()

    def _drop(self) -> None:
        """Give the oldest file up, counted."""
        self.dropped += self.files[0].events
        self.remove(self.files[0])


def _kept(path: Path) -> Kept | None:
    """Read a file's name; what is not ours is left alone."""
    since, _, rest = path.name[: -len(".gz")].partition("-")
    count = rest.rpartition("-")[2]
    if not (since.isdecimal() and count.isdecimal()):
        return None
    try:
        return Kept(path.name, int(since) / 1000, int(count), path.stat().st_size)
    except FileNotFoundError:
        return None
