"""Remembers for some hours what the spans of a trace said, whichever message brought them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from shared.events.otlp.record import Record
from shared.storage.packing import packed, parts_of, unpacked
from shared.storage.rows import Change, Delete, Put, Range, Rows, Transaction, prefix

WINDOW = timedelta(hours=6)
OVERLAP = timedelta(hours=2)
"""A trace that goes on from one window into the next is known for so long at least."""
MOST_SPANS = 2_000
"""Of a trace; later ones are decided without knowing more."""
_RECORDS = TypeAdapter(list[Record])


class TraceRows:
    """A row per trace and message, in partitions of a window and the trace's first hex digit.

    Rows are only ever added, so that any number of writers lose nothing.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def remember(
        self, batch: str, records: Mapping[str, Sequence[Record]], at: datetime
    ) -> Mapping[str, Sequence[Record]]:
        """Add what a message says of each trace; return all that is known of it, this included,
        and of the meetings of what is known.

        The rows are written before any are read: of two messages at once, one knows both.
        """
        changes = defaultdict[str, list[Change]](list)
        for trace, told in records.items():
            text = _RECORDS.dump_json(list(told), exclude_defaults=True).decode()
            fields = packed(text, "a message's spans of one trace. Export fewer spans at once.")
            changes[_partition(_window(at), trace)].append(Put(f"{trace}:{batch}", fields))
        self._rows.commit_each(
            [Transaction(p, part) for p, group in changes.items() for part in parts_of(group)]
        )
        windows = sorted({_window(at - OVERLAP), _window(at)})
        known = self._known(windows, [*records])
        meetings = {one.meeting for found in known.values() for one in found if one.meeting}
        others = sorted(meetings - known.keys())
        return {**known, **self._known(windows, others)} if others else known

    def _known(
        self, windows: Sequence[str], traces: Sequence[str]
    ) -> Mapping[str, Sequence[Record]]:
        """Return what the windows know of each trace; all are asked at once."""
        asked = [(trace, window) for trace in traces for window in windows]
        found = self._rows.query_each(
            [(_partition(window, trace), prefix(f"{trace}:")) for trace, window in asked]
        )
        known: dict[str, dict[str, Record]] = {trace: {} for trace in traces}
        for (trace, _), rows in zip(asked, found, strict=True):
            of_trace = known[trace]
            for row in rows:
                if len(of_trace) < MOST_SPANS:
                    of_trace |= {one.span_id: one for one in _RECORDS.validate_json(unpacked(row))}
        return {trace: list(of_trace.values()) for trace, of_trace in known.items()}

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


def _partition(window: str, trace: str) -> str:
    return f"{window}-{trace[:1]}"
