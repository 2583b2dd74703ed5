"""What messages add to fast conditions: amounts by second, in slices of 15 s of event time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import add
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


Seconds = Sequence[float]
"""An amount for each second of a slice, or nothing where there is none at all."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of a series in a slice.

    bad, every: the bad ones, and all. gauges: "<second> <who>" → (time, value), the latest of that
    second. received: when the first and the last of it were received. Times are seconds since 1970.
    """

    bad: Seconds
    every: Seconds
    gauges: Mapping[str, tuple[float, float]]
    received: tuple[float, float]

    def merged(self, other: "Tally") -> "Tally":
        """Return both together; their order does not count."""
        return Tally(
            bad=_added(self.bad, other.bad),
            every=_added(self.every, other.every),
            gauges=_latest(self.gauges, other.gauges),
            received=(
                min(self.received[0], other.received[0]),
                max(self.received[1], other.received[1]),
            ),
        )

    def dump(self) -> list[object]:
        """Write it as JSON can hold it."""
        return [self.bad, self.every, self.gauges, self.received]

    @classmethod
    def load(cls, dumped: Any) -> "Tally":
        """Read what dump() wrote. Amounts stay the lists that they are: there are many of them."""
        bad, every, gauges, (first, last) = dumped
        samples = {name: (at, value) for name, (at, value) in gauges.items()} if gauges else _NONE
        return cls(bad, every, samples, (first, last))


_NONE: Mapping[str, tuple[float, float]] = {}
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
    """Return what takes the amounts away again when it is merged."""
    return {
        key: Tally([-one for one in t.bad], [-one for one in t.every], {}, t.received)
        for key, t in tallies.items()
    }


def dumped(tallies: Tallies) -> str:
    """Write tallies as text, series by series."""
    series: dict[tuple[str, Labels], list[object]] = {}
    for key, tally in tallies.items():
        slices = series.setdefault((key.condition, key.labels), [])
        slices.append([key.slice, *tally.dump()])
    lines = [[*name, slices] for name, slices in series.items()]
    return json.dumps(lines, separators=(",", ":"), ensure_ascii=False)


def loaded(text: str) -> Tallies:
    """Read what dumped() wrote."""
    tallies: dict[TallyKey, Tally] = {}
    for condition, names, slices in json.loads(text):
        labels = tuple((name, value) for name, value in names)
        for number, *dump in slices:
            tallies[TallyKey(condition, number, labels)] = Tally.load(dump)
    return tallies


def slice_of(at: datetime) -> int:
    """Return the number of the slice that the moment is in."""
    return int(at.timestamp()) // SLICE_S


def _added(one: Seconds, other: Seconds) -> Seconds:
    return list(map(add, one, other)) if one and other else one or other


def _latest(
    one: Mapping[str, tuple[float, float]], other: Mapping[str, tuple[float, float]]
) -> Mapping[str, tuple[float, float]]:
    if not (one and other):
        return one or other
    return {name: max(s[name] for s in (one, other) if name in s) for name in {**one, **other}}
