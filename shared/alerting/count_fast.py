"""Adds up what the events of a message mean to the fast conditions."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.alerting.event_fields import number_of, text_of
from shared.alerting.fast import FastCondition
from shared.alerting.tallies import KEPT, SLICE_S, Labels, Tallies, Tally, TallyKey
from shared.events.types import AnyEvent
from shared.pricing.cost import Cost

SERIES_MOST = 100
"""Of a condition in a message and in a judgement: what is more is `other`."""
OTHER = "other"
CLOCK = "clock"
"""The condition that every message adds to: it shows how far the queue has been worked off."""

Priced = tuple[AnyEvent, Cost | None]
_Amount = tuple[float, float]
_Matches = Sequence[tuple[str, tuple[str, ...]]]


def clock(received_at: datetime) -> Tallies:
    """Return the tally that says when a message was received."""
    at = received_at.timestamp()
    return {TallyKey(CLOCK, int(at) // SLICE_S): Tally((), (), {}, (at, at))}


class CountFast:
    """The fast conditions of the rules in force, ready to be counted.

    An event counts in the second that it names; one that names a time ahead of its receipt in the
    second of the receipt; one from longer ago than slices are kept, not at all.
    """

    def __init__(self, conditions: Iterable[FastCondition]) -> None:
        self._by_kind: dict[str, list[_Counter]] = {}
        for condition in {one.digest: one for one in conditions}.values():
            per = condition.rate.per_event if condition.rate else ""
            for kind in {condition.event, per} - {""}:
                counter = _Counter(condition, kind == condition.event, kind == per)
                self._by_kind.setdefault(kind, []).append(counter)

    def count(self, events: Iterable[Priced], received_at: datetime) -> Tallies:
        """Return what these events add, with the clock."""
        now = received_at.timestamp()
        oldest = now - KEPT.total_seconds()
        drafts: dict[TallyKey, _Draft] = {}
        series: dict[str, set[Labels]] = {}
        for event, cost in events:
            counters = self._by_kind.get(event.type)
            at = min(event.time.timestamp(), now)
            if not counters or at < oldest:
                continue
            for counter in counters:
                counter.add(drafts, series, event, cost, at)
        tallies = {key: draft.done(now) for key, draft in drafts.items()}
        return {**tallies, **clock(received_at)}


class _Draft:
    """A tally that is still added to."""

    __slots__ = ("bad", "every", "gauges")

    def __init__(self) -> None:
        self.bad: list[float] = [0] * SLICE_S
        self.every: list[float] = [0] * SLICE_S
        self.gauges: dict[str, tuple[float, float]] = {}

    def done(self, now: float) -> Tally:
        bad, every = (one if any(one) else () for one in (self.bad, self.every))
        return Tally(bad, every, self.gauges, (now, now))


class _Counter:
    """Counts the events of one kind for one condition."""

    def __init__(self, condition: FastCondition, counts: bool, is_per: bool) -> None:
        """counts: these are the condition's own events. is_per: the limit is for each of these."""
        self._condition = condition
        self._digest = condition.digest
        self._counts = counts
        self._is_per = is_per
        self._where = tuple(condition.where.items())
        self._bad = tuple(condition.bad.items())
        self._good = tuple(condition.good.items())
        self._over = tuple(condition.over.items())
        self._by = tuple(zip(condition.columns, condition.by, strict=True))
        self._is_gauge = condition.measured == "value"

    def add(
        self,
        drafts: dict[TallyKey, _Draft],
        series: dict[str, set[Labels]],
        event: AnyEvent,
        cost: Cost | None,
        at: float,
    ) -> None:
        """Add one event at that second."""
        if self._counts and self._where and not _matches(event, cost, self._where):
            return
        amount = (0, 0) if self._is_gauge else self._amount(event, cost)
        if amount is None:
            return
        slice_, second = divmod(int(at), SLICE_S)
        key = TallyKey(self._digest, slice_, self._labels(series, event, cost))
        draft = drafts.get(key)
        if draft is None:
            draft = drafts[key] = _Draft()
        if self._is_gauge:
            name = f"{second} {_who(event)}"
            sample = (at, float(getattr(event.data, "value", 0.0)))
            draft.gauges[name] = max(draft.gauges.get(name, sample), sample)
            return
        draft.bad[second] += amount[0]
        draft.every[second] += amount[1]

    def _labels(self, series: dict[str, set[Labels]], event: AnyEvent, cost: Cost | None) -> Labels:
        """Return the series; what is more than SERIES_MOST in a message is together."""
        if not self._by:
            return ()
        labels = tuple((column, text_of(event, cost, field)) for column, field in self._by)
        known = series.setdefault(self._digest, set())
        if labels in known or len(known) < SERIES_MOST:
            known.add(labels)
            return labels
        return tuple((column, OTHER) for column, _ in labels)

    def _amount(self, event: AnyEvent, cost: Cost | None) -> _Amount | None:
        """Return how much of it is bad, and of how much; None where it says nothing."""
        weight = event.data.count
        every = weight if self._is_per or not self._condition.rate else 0
        if not self._counts:
            return 0, every
        if self._condition.sum:
            amount = number_of(event, cost, self._condition.sum)
            return None if amount is None and not self._is_per else (amount or 0, every)
        if self._over:
            numbers = [(number_of(event, cost, field), limit) for field, limit in self._over]
            if any(number is None for number, _ in numbers):
                return None
            is_bad = all(number is not None and number > limit for number, limit in numbers)
        elif self._good:
            is_bad = not _matches(event, cost, self._good)
        else:
            is_bad = _matches(event, cost, self._bad)
        return weight if is_bad else 0, every


def _matches(event: AnyEvent, cost: Cost | None, wanted: _Matches) -> bool:
    return all(text_of(event, cost, field) in values for field, values in wanted)


def _who(event: AnyEvent) -> str:
    """Return what distinguishes gauges: who saw it, and what it says beside its value."""
    said: Mapping[str, object] = {
        name: value for name, value in vars(event.data).items() if name not in ("value", "count")
    }
    text = json.dumps([event.source, sorted(said.items())], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
