"""Over how many partitions claims are spread, and which older layouts are still honoured.

A key's partition follows from the key alone. When the number changes, claims of both layouts are
honoured for as long as a claim lives: each claim is made in the older layout first, and what that
answers is claimed in the newer one. A change is made only when none before it is under way.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from zlib import crc32

from shared.errors import RetryLater
from shared.storage.packing import packed
from shared.storage.rows import (
    ATTEMPTS,
    EVERY,
    Change,
    Conflict,
    Insert,
    Put,
    Range,
    Replace,
    Row,
    Rows,
)

HONOURED = timedelta(days=8, hours=1)
"""As long as a claim lives, and until every instance surely knows of the change."""
_FRESH = timedelta(minutes=5)
_PLACE = ("0", "layout")
_LANDED = 0
_NONE = -1
_LANDED_PREFIX = 3
_LIST = "~"
_LANDED_LIST = "hour-"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where claims stand. partitions: 0 for the layout of the edition before this one."""

    partitions: int

    def place(self, key: str) -> tuple[str, str]:
        """Return the partition and row of the claim."""
        if self.partitions == _LANDED:
            return key[:_LANDED_PREFIX], key[_LANDED_PREFIX:]
        return f"{self.partitions}-{crc32(key.encode()) % self.partitions}", key

    def listing(self, keys: Sequence[str], hour: str) -> Change:
        """Return the row that lists these claims, of one partition, under the hour."""
        text = " ".join(keys)
        name = sha256(text.encode()).hexdigest()[:32]
        fields = packed(text, "the claims of one message. Lower BATCH_MAX_EVENTS.")
        return Put(f"{_LIST}{hour}:{name}", fields)

    def listings(self, rows: Rows, hour: str) -> Iterator[Row]:
        """Yield the rows that list claims of the hours before."""
        if self.partitions == _LANDED:
            yield from rows.query(Range(_LANDED_LIST, f"{_LANDED_LIST}{hour}"))
        for partition in self._partitions():
            yield from rows.query(partition, Range(_LIST, f"{_LIST}{hour}"))

    def _partitions(self) -> Sequence[str]:
        if self.partitions == _LANDED:
            return [f"{kind}:{digit}" for kind in "ers" for digit in "0123456789abcdef"]
        return [f"{self.partitions}-{n}" for n in range(self.partitions)]


@dataclass(frozen=True, slots=True)
class _Epoch:
    """What is stored. previous: its partitions, -1 where there was nothing before."""

    number: int
    current: int
    previous: int
    until: datetime

    def honoured(self, now: datetime) -> Sequence[Layout]:
        """Return the layouts that count at that moment, the older one first."""
        older = [Layout(self.previous)] if self.previous != _NONE and now < self.until else []
        return [*older, Layout(self.current)]


class Layouts:
    """Knows the layouts that count, and changes them when the setting does."""

    def __init__(self, rows: Rows, partitions: int) -> None:
        self._rows = rows
        self._wanted = partitions
        self._read_at: datetime | None = None
        self._epoch: _Epoch | None = None
        self._honoured: Sequence[Layout] = ()

    def at(self, now: datetime) -> Sequence[Layout]:
        """Return the layouts that count at that moment, the older one first.

        Raises:
            RetryLater: the store did not answer.
        """
        if self._epoch is None or self._read_at is None or now - self._read_at > _FRESH:
            self._epoch, self._read_at = self._read(now), now
        self._honoured = self._epoch.honoured(now)
        return self._honoured

    def known(self) -> Sequence[Layout]:
        """Return the layouts that counted when they were last asked for."""
        if self._honoured:
            return self._honoured
        row = self._rows.get(*_PLACE)
        if row is None:
            return [Layout(_LANDED), Layout(self._wanted)]
        stored = _epoch(row)
        return [Layout(n) for n in (stored.previous, stored.current) if n != _NONE]

    def _read(self, now: datetime) -> _Epoch:
        """Return what is stored, changed first where the setting is another."""
        for _ in range(ATTEMPTS):
            row = self._rows.get(*_PLACE)
            stored = _epoch(row) if row else None
            if stored and (stored.current == self._wanted or now < stored.until):
                return stored
            if stored:
                new = _Epoch(stored.number + 1, self._wanted, stored.current, now + HONOURED)
            else:
                has_claims = next(self._rows.query(Range("a"), EVERY, "hour"), None)
                until = now + HONOURED if has_claims else now
                new = _Epoch(1, self._wanted, _LANDED if has_claims else _NONE, until)
            partition, key = _PLACE
            fields = {
                "epoch": new.number,
                "partitions": new.current,
                "previous": new.previous,
                "until": new.until.isoformat(),
            }
            change = Replace(key, fields, row.etag) if row else Insert(key, fields)
            try:
                self._rows.commit(partition, [change])
            except Conflict:
                continue
            logger.info("Claims are spread over %d partitions from now on.", new.current)
            return new
        raise RetryLater("Others change the layout of claims. It is tried again.")


def _epoch(row: Row) -> _Epoch:
    return _Epoch(
        row.number("epoch"),
        row.number("partitions"),
        row.number("previous"),
        datetime.fromisoformat(row.text("until")),
    )
