"""How running totals and tallies are written into rows, and read back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import TypeAdapter

from shared.alerting.tallies import Tallies, dumped, loaded
from shared.storage.landed_tallies import LANDED_FIELDS, landed_tallies
from shared.storage.packing import PACKED_BYTES, packed, parts_of, unpacked
from shared.storage.rows import Fields, Insert, Row
from shared.storage.totals import Totals

_TEXT_BYTES = PACKED_BYTES - 8 * 1024
"""Of text: compressed it fits a row even if it is noise."""
_TALLIES = "slices"
_TALLIES_OF_A_ROW = 2_000
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Head:
    """Which rows of the store count; replaced as a whole, which is how compaction takes effect.

    version: 0 where nothing was compacted yet. at: when this was written; since: when the first
    was. young, old: the rows of each metric: what was added of late, and before. tallies: the rows
    of tallies. trash: rows that count no more, what was added by messages among them.
    landed: metrics whose totals stand where the edition before this store wrote them; None where
    nothing is known of that. markers: whether batches that it added may come again.
    """

    version: int = 0
    at: datetime = NEVER
    since: datetime = NEVER
    young: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    old: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    tallies: Sequence[str] = ()
    trash: Sequence[str] = ()
    landed: Sequence[str] | None = None
    markers: bool = True

    def totals_keys(self) -> list[str]:
        """Return the rows of totals, the old ones first."""
        return [key for part in (self.old, self.young) for keys in part.values() for key in keys]


_HEAD = TypeAdapter(Head)


def head_fields(head: Head) -> Fields:
    """Write the head."""
    text = _HEAD.dump_json(head).decode()
    return {"version": head.version, **packed(text, "the list of messages. Please report it.")}


def head_of(row: Row) -> Head:
    """Read the head. Raises ValueError."""
    return _HEAD.validate_json(unpacked(row))


def totals_texts(totals: Totals) -> Iterator[str]:
    """Write the totals as texts that each fit a row; one at least."""
    lines = totals.lines()
    return texts_of(json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in lines)


def texts_of(items: Iterable[str]) -> Iterator[str]:
    """Join JSON into lists that each fit a row; one at least, which may be empty."""
    lines: list[str] = []
    size = 0
    for text in items:
        size += len(text.encode()) + 1
        if lines and size > _TEXT_BYTES:
            yield f"[{','.join(lines)}]"
            lines, size = [], len(text.encode()) + 1
        lines.append(text)
    yield f"[{','.join(lines)}]"


def totals_fields(text: str) -> Fields:
    """Return the fields of one of those texts."""
    return packed(text, "totals of a message. Lower SERIES_MAX.")


def totals_of(row: Row) -> Totals:
    """Return the totals that the row holds.

    Raises:
        ValueError: it cannot be read.
    """
    totals = Totals()
    try:
        for line in json.loads(unpacked(row)):
            totals.take(*line)
    except (TypeError, ArithmeticError) as exc:
        raise ValueError(f"no totals: {type(exc).__name__}") from None
    return totals


def tallies_fields(tallies: Tallies) -> Fields:
    """Return the fields of tallies, none where there are none.

    Raises:
        GiveUp: there are more than a row holds.
    """
    if not tallies:
        return {}
    what = "tallies of fast conditions. Have their `by` name fewer series."
    data = packed(dumped(tallies), what)
    return {name.replace("data", _TALLIES): value for name, value in data.items()}


TALLY_FIELDS = (*(f"{_TALLIES}{n:02}" for n in range(11)), *LANDED_FIELDS)
"""The fields that tallies_of() reads."""


def tallies_of(row: Row) -> Tallies:
    """Return the tallies that the row holds."""
    fields = {
        name.replace(_TALLIES, "data"): value
        for name, value in row.fields.items()
        if name.startswith(_TALLIES)
    }
    if not fields:
        return landed_tallies(row)
    return loaded(unpacked(Row(row.partition, row.key, fields, "")))


def size_of(rows: Iterable[Insert]) -> int:
    """Return how many bytes of data the rows hold."""
    return sum(len(v) for row in rows for v in row.fields.values() if isinstance(v, bytes))


def totals_rows(kind: str, metric: str, version: int, totals: Totals) -> list[Insert]:
    """Return new rows for the totals of a metric."""
    texts = enumerate(totals_texts(totals))
    return [Insert(f"t:{kind}:{metric}:{version:08}:{n}", totals_fields(text)) for n, text in texts]


def tallies_rows(version: int, tallies: Tallies) -> list[Insert]:
    """Return new rows for tallies."""
    parts = enumerate(parts_of(tallies.items(), _TALLIES_OF_A_ROW))
    return [Insert(f"t:t:{version:08}:{n}", tallies_fields(dict(part))) for n, part in parts]
