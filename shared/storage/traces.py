"""Remembers for some hours what the spans of a trace said, whichever message brought them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zlib import crc32

from pydantic import TypeAdapter

from shared.events.otlp.record import Record
from shared.storage.packing import packed, parts_of, unpacked
from shared.storage.quarantine import Copies
from shared.storage.rows import (
    Change,
    Delete,
    Fields,
    Insert,
    Put,
    Range,
    Row,
    Rows,
    Transaction,
    prefix,
)

WINDOW = timedelta(hours=6)
OVERLAP = timedelta(hours=2)
"""A trace that goes on from one window into the next is known for so long at least."""
MOST_SPANS = 2_000
"""Of a trace; later ones are decided without knowing more."""
_RECORDS = TypeAdapter(list[Record])
_PARTITIONS = 8
"""Of a window: a message of many traces makes as many requests, in parallel."""
_AT_ONCE = 50
"""Traces of a transaction, two rows each."""
_MOST_MET = 20_000


class Place(NamedTuple):
    """A trace in a window."""

    window: str
    trace: str

    @property
    def partition(self) -> str:
        """Return the partition of its rows."""
        return f"{self.window}-{crc32(self.trace.encode()) % _PARTITIONS}"


class TraceRows:
    """A row per trace and message, in a window and a few partitions of it.

    Rows are only ever added, so that any number of writers lose nothing. Beside them stands a row
    for the trace itself: a message that is the first to insert it knows all there is, and reads
    nothing. In the last hours of a window everything is in the next one, too.
    """

    def __init__(self, rows: Rows, copies: Copies | None = None) -> None:
        """copies: where rows that cannot be read are kept; among the others, unless given."""
        self._rows = rows
        self._copies = copies or Copies(rows)
        self._met: set[Place] = set()
        self._has_landed: dict[str, bool] = {}

    def remember(
        self, batch: str, records: Mapping[str, Sequence[Record]], at: datetime
    ) -> Mapping[str, Sequence[Record]]:
        """Add what a message says of each trace; return all that is known of it, this included,
        and of the meetings of what is known.

        The rows are written before any are read: of two messages at once, one knows both.
        """
        rows = {f"{trace}:{batch}": _fields(some) for trace, some in records.items()}
        windows = sorted({_window(at), _window(at + OVERLAP)})
        places = [Place(window, trace) for window in windows for trace in records]
        begun = self._write(Insert, [one for one in places if one not in self._met], batch, rows)
        older = [place for place in places if place not in begun]
        self._write(Put, older, batch, rows)
        self._note(places)
        known = {trace: {one.span_id: one for one in some} for trace, some in records.items()}
        self._read(_where(older), known)
        self._read(self._landed(at, [*records]), known)
        meetings = {one.meeting for found in known.values() for one in found.values()} - {""}
        others = sorted(meetings - known.keys())
        of_others = _where(Place(window, trace) for window in windows for trace in others)
        self._read([*of_others, *self._landed(at, others)], known)
        return {trace: list(found.values()) for trace, found in known.items()}

    def _write(
        self,
        of_trace: type[Insert | Put],
        places: Sequence[Place],
        batch: str,
        rows: Mapping[str, Fields],
    ) -> set[Place]:
        """Write the rows of the traces, and what the message says; return those that were made.

        A trace that is there already keeps the others of its transaction from being inserted.
        """
        if not places:
            return set()
        groups = defaultdict[str, list[Place]](list)
        for place in places:
            groups[place.partition].append(place)
        parts = [(p, part) for p, group in groups.items() for part in parts_of(group, _AT_ONCE)]

        def changes(part: Sequence[Place]) -> Iterator[Change]:
            for _, trace in part:
                yield of_trace(trace, {})
                yield Put(key := f"{trace}:{batch}", rows[key])

        made = self._rows.commit_each([Transaction(p, [*changes(part)]) for p, part in parts])
        pairs = zip(parts, made, strict=True)
        return {place for (_, part), is_made in pairs if is_made for place in part}

    def _note(self, places: Sequence[Place]) -> None:
        """Keep in mind which traces are there, so that they are not inserted in vain."""
        if len(self._met) > _MOST_MET:
            self._met.clear()
        self._met.update(places)

    def _landed(self, at: datetime, traces: Sequence[str]) -> list[tuple[str, str]]:
        """Return where the edition before kept the traces, in windows in which it wrote: in a
        partition for each first hex digit, half of which this one never uses."""
        windows = sorted({_window(at - OVERLAP), _window(at)})
        for window in windows:
            if window not in self._has_landed:
                found = self._rows.query(Range(f"{window}-{_PARTITIONS}", f"{window}-g"))
                self._has_landed[window] = next(iter(found), None) is not None
        wrote = [window for window in windows if self._has_landed[window]]
        return [(f"{window}-{trace[:1]}", trace) for window in wrote for trace in traces]

    def _read(self, where: Sequence[tuple[str, str]], known: dict[str, dict[str, Record]]) -> None:
        """Add what is stored of each trace; all are asked for at once. where: partition, trace."""
        if not where:
            return
        found = self._rows.query_each([(place, prefix(f"{trace}:")) for place, trace in where])
        for (_, trace), rows in zip(where, found, strict=True):
            of_trace = known.setdefault(trace, {})
            for row in rows:
                if len(of_trace) < MOST_SPANS:
                    stored = self._copies.attempt(_records, row) or ()
                    of_trace |= {one.span_id: one for one in stored}

    def forget(self, before: datetime) -> int:
        """Drop the windows that ended before that moment; return how many rows."""
        dropped = 0
        found = defaultdict[str, list[Change]](list)
        for row in self._rows.query(Range("", _window(before))):
            found[row.partition].append(Delete(row.key))
        for partition, changes in found.items():
            for part in parts_of(changes):
                self._rows.commit(partition, part)
                dropped += len(part)
        return dropped


def _window(at: datetime) -> str:
    start = at.astimezone(UTC)
    return f"{start:%Y%m%d}{start.hour - start.hour % (WINDOW // timedelta(hours=1)):02}"


def _where(places: Iterable[Place]) -> list[tuple[str, str]]:
    return [(place.partition, place.trace) for place in places]


def _records(row: Row) -> list[Record]:
    return _RECORDS.validate_json(unpacked(row))


def _fields(records: Sequence[Record]) -> Fields:
    text = _RECORDS.dump_json(list(records), exclude_defaults=True).decode()
    return packed(text, "a message's spans of one trace. Export fewer spans at once.")
