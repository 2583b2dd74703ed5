"""Reads tallies as the edition before wrote them, with a pair of amounts for each second.

What it wrote counts for 15 minutes; remove this module an edition later.
"""

import json
from collections.abc import Mapping

from shared.alerting.tallies import SLICE_S, Seconds, Tallies, Tally, TallyKey
from shared.storage.packing import unpacked
from shared.storage.rows import Row

_NAME = "tallies"
LANDED_FIELDS = tuple(f"{_NAME}{n:02}" for n in range(11))


def landed_tallies(row: Row) -> Tallies:
    """Return the tallies that the row holds in that form. Raises ValueError."""
    fields = {
        name.replace(_NAME, "data"): value
        for name, value in row.fields.items()
        if name in LANDED_FIELDS
    }
    if not fields:
        return {}
    tallies: dict[TallyKey, Tally] = {}
    for condition, number, names, (sums, gauges, received) in json.loads(
        unpacked(Row(row.partition, row.key, fields, ""))
    ):
        labels = tuple((name, value) for name, value in names)
        bad, every = _amounts(sums, 0), _amounts(sums, 1)
        loaded = Tally.load([bad, every, gauges, received])
        tallies[TallyKey(condition, number, labels)] = loaded
    return tallies


def _amounts(sums: Mapping[str, tuple[float, float]], which: int) -> Seconds:
    """Return the amount of each second, or nothing where all are 0."""
    amounts: list[float] = [0] * SLICE_S
    for second, pair in sums.items():
        amounts[int(second)] = pair[which]
    return amounts if any(amounts) else ()
