"""What messages add to fast conditions: amounts by second, in slices of 15 s of event time."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

SLICE_S = 15
KEPT = timedelta(minutes=15)
"""How long a slice can still turn a condition true."""

Labels = tuple[tuple[str, str], ...]


class TallyKey(NamedTuple):
    """What a tally is of.

    condition: its digest. slice: seconds since 1970, divided by SLICE_S. labels: the series.
    """

    condition: str
    slice: int
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of a series in a slice.

    sums: second of the slice → (bad, all). gauges: "<second> <who>" → (time, value), the latest of
    that second. received: when the first and the last of it were received. Times are seconds since
    1970.
    """

    sums: Mapping[int, tuple[float, float]]
    gauges: Mapping[str, tuple[float, float]]
    received: tuple[float, float]

    def merged(self, other: "Tally") -> "Tally":
        """Return both together; their order does not count."""
        return Tally(
            sums=_merged(self.sums, other.sums, _added),
            gauges=_merged(self.gauges, other.gauges, max),
            received=(
                min(self.received[0], other.received[0]),
                max(self.received[1], other.received[1]),
            ),
        )

    def dump(self) -> list[object]:
        """Write it as JSON can hold it."""
        return [dict(self.sums), dict(self.gauges), list(self.received)]

    @classmethod
    def load(cls, dumped: Any) -> "Tally":
        """Read what dump() wrote, after JSON has made texts of the seconds."""
        sums, gauges, (first, last) = dumped
        return cls(
            {int(second): (bad, every) for second, (bad, every) in sums.items()},
            {name: (at, value) for name, (at, value) in gauges.items()},
            (first, last),
        )


Tallies = Mapping[TallyKey, Tally]
NO_TALLIES: Tallies = {}


def merge_all(parts: Iterable[Tallies]) -> dict[TallyKey, Tally]:
    """Return all parts together."""
    merged: dict[TallyKey, Tally] = {}
    for part in parts:
        for key, tally in part.items():
            known = merged.get(key)
            merged[key] = known.merged(tally) if known else tally
    return merged


def subtracted(tallies: Tallies) -> Tallies:
    """Return what takes the sums away again when it is merged."""
    return {
        key: Tally(
            {second: (-bad, -every) for second, (bad, every) in tally.sums.items()},
            {},
            tally.received,
        )
        for key, tally in tallies.items()
    }


def dumped(tallies: Tallies) -> str:
    """Write tallies as text."""
    lines = [[*key[:2], key.labels, tally.dump()] for key, tally in tallies.items()]
    return json.dumps(lines, separators=(",", ":"), ensure_ascii=False)


def loaded(text: str) -> Tallies:
    """Read what dumped() wrote."""
    return {
        TallyKey(condition, number, tuple((name, value) for name, value in labels)): Tally.load(
            dump
        )
        for condition, number, labels, dump in json.loads(text)
    }


def slice_of(at: datetime) -> int:
    """Return the number of the slice that the moment is in."""
    return int(at.timestamp()) // SLICE_S


def _added(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], one[1] + other[1]


def _merged(one: Mapping[Any, Any], other: Mapping[Any, Any], join: Any) -> dict[Any, Any]:
    both = dict(one)
    for key, amount in other.items():
        both[key] = join(both[key], amount) if key in both else amount
    return both
