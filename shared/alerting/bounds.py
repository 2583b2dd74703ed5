"""Bounds how many series of a rule are kept, so that its state always fits its row."""

from collections.abc import Collection, Mapping, Sequence

from shared.alerting.reading import Reading, Sample
from shared.alerting.rule import Condition

SERIES_MOST = 200


def bounded(
    conditions: Sequence[Condition], known: Collection[str], readings: Mapping[str, Reading]
) -> tuple[Mapping[str, Reading], int]:
    """Return the readings with SERIES_MOST series at most each, and how many were left out.

    known: the fingerprints of series that have an alert or spoke before, which are never left out:
    they would seem ended. Of the others, the furthest beyond the threshold are kept.
    """
    kept = {
        condition.name: reading
        if not isinstance(reading, Mapping)
        else _worst(condition, known, reading)
        for condition in conditions
        for reading in (readings[condition.name],)
    }
    return kept, sum(_count(readings[name]) - _count(kept[name]) for name in kept)


def _worst(
    condition: Condition, known: Collection[str], samples: Mapping[str, Sample]
) -> Mapping[str, Sample]:
    if len(samples) <= SERIES_MOST:
        return samples

    kept = {key: sample for key, sample in samples.items() if key in known}
    others = [item for item in samples.items() if item[0] not in kept]
    others.sort(key=lambda item: condition.comparison.badness(item[1].value))
    return kept | dict(others[: max(0, SERIES_MOST - len(kept))])


def _count(reading: Reading) -> int:
    return len(reading) if isinstance(reading, Mapping) else 0
