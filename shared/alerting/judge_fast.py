"""Judges fast conditions by what was tallied: is it bad, and for how long already?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain, islice
from typing import NamedTuple

from shared.alerting.count_fast import CLOCK, SERIES_MOST
from shared.alerting.fast import FastCondition
from shared.alerting.reading import Reading, Sample, Unseen, fingerprint
from shared.alerting.schedule import AHEAD_MOST
from shared.alerting.tallies import SLICE_S, Labels, Tallies, Tally

FRESH_S = 90
"""What ended longer ago is over: there is a minute between two heartbeats, and the way here."""
BACKLOG = timedelta(minutes=2)
GAUGE_LIVES_S = 300
MOSTLY = 0.75
"""Of the slices between the first and the last of a run must be bad."""
LIVE = 2 / 3
"""Of the time that something lasted it must have taken to arrive: what comes faster is old."""
_NOTHING = (0,) * SLICE_S


class _Slice(NamedTuple):
    """What a slice says. first, last: its bad seconds since 1970; None where it has none to count.

    amount: bad ones, or the gauge. every: all of them. received: first and last.
    """

    number: int
    is_bad: bool
    first: int | None
    last: int | None
    amount: float
    every: float
    received: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Limit:
    """What amounts are held against, without a Decimal for each second.

    per: what the amount of a second is multiplied by. per_event: it is for each of `every`.
    """

    threshold: float
    inclusive: bool
    per: float
    per_event: bool

    @property
    def is_pooled(self) -> bool:
        """Return whether the events that it is for each of are of another kind."""
        return self.per_event and self.per == 1

    def is_exceeded(self, bad: float, every: float, seconds: float) -> bool:
        """Return whether so much in that time, or of that many, is over the limit."""
        if self.per_event and not every:
            return False
        value = bad * self.per / (every if self.per_event else seconds)
        return value > self.threshold or (self.inclusive and value == self.threshold)

    def seconds_over(self, tally: Tally) -> Iterator[int]:
        """Yield the first second that is over the limit, then the last one.

        Of amounts for each event of another kind, which may stand in other seconds, those are the
        first and the last with any.
        """
        bad, every = tally.bad or _NOTHING, tally.every or _NOTHING
        for seconds in (range(SLICE_S), range(SLICE_S - 1, -1, -1)):
            over = (s for s in seconds if self.is_exceeded(bad[s], every[s], 1))
            there = (s for s in seconds if self.is_pooled and (bad[s] or every[s]))
            yield from islice(chain(over, there), 1)


@dataclass(frozen=True, slots=True)
class _Run:
    """Slices from one with a bad second to another."""

    slices: Sequence[_Slice]

    @property
    def first(self) -> int:
        return self.slices[0].first or 0

    @property
    def last(self) -> int:
        return self.slices[-1].last or 0

    @property
    def lasted(self) -> int:
        return self.last - self.first

    def is_recent(self, reach: float, fresh_s: float) -> bool:
        """Return whether it goes on, by its own times or, of a slow clock, by those of receipt."""
        if self.last >= reach - fresh_s:
            return True
        arrived = self.slices[-1].received[1]
        took = arrived - self.slices[0].received[0]
        return reach - FRESH_S <= arrived <= reach + SLICE_S and took >= LIVE * self.lasted


def reach_of(tallies: Tallies, now: datetime) -> datetime | None:
    """Return how far the queue has been worked off: when the newest tallied message came.

    What was received ahead of now was dated by a clock that was wrong, and says nothing.
    """
    latest = (now + AHEAD_MOST).timestamp()
    received = (t.received[1] for key, t in tallies.items() if key.condition == CLOCK)
    newest = max((at for at in received if at <= latest), default=0)
    return datetime.fromtimestamp(newest, UTC) if newest else None


def by_condition(tallies: Tallies) -> Mapping[str, Mapping[Labels, Mapping[int, Tally]]]:
    """Return the tallies by condition, series and slice."""
    sorted_: dict[str, dict[Labels, dict[int, Tally]]] = {}
    for key, tally in tallies.items():
        sorted_.setdefault(key.condition, {}).setdefault(key.labels, {})[key.slice] = tally
    return sorted_


def left_out(series: Mapping[Labels, object]) -> int:
    """Count the series that are not judged, at least: what a message has too many of is one."""
    return max(0, len(series) - SERIES_MOST)


def judge(
    condition: FastCondition,
    series: Mapping[Labels, Mapping[int, Tally]],
    reach: datetime | None,
    now: datetime,
) -> Reading:
    """Return what the tallies say of each series.

    Windows end where the queue is worked off to: slices that are empty behind it say nothing. In a
    backlog of over two minutes nothing is judged: what it holds may be long over.
    """
    if reach is None:
        return Unseen("no message has been tallied in the last 15 minutes")
    if now - reach > BACKLOG:
        return Unseen(f"the queue is worked off to {reach:%H:%M:%S} alone")
    judged = {
        labels: _judge(condition, labels, slices, reach.timestamp())
        for labels, slices in _most(series).items()
    }
    if not judged and not condition.by:
        judged = {(): _sample(condition, (), (), None, reach.timestamp())}
    return {fingerprint(sample.labels): sample for sample in judged.values()}


def _most(
    series: Mapping[Labels, Mapping[int, Tally]],
) -> Mapping[Labels, Mapping[int, Tally]]:
    """Return the series that say most, where there are too many."""
    if len(series) <= SERIES_MOST:
        return series

    def weight(labels: Labels) -> float:
        return sum(sum(tally.bad) for tally in series[labels].values())

    kept = sorted(series, key=weight, reverse=True)[:SERIES_MOST]
    return {labels: series[labels] for labels in kept}


def _judge(
    condition: FastCondition, labels: Labels, tallies: Mapping[int, Tally], reach: float
) -> Sample:
    if condition.measured == "value":
        slices = _gauges(condition, tallies)
    else:
        limit, least = _limit(condition), condition.at_least if condition.share else 0
        slices = [_summed(limit, least, number, tallies[number]) for number in sorted(tallies)]
    return _sample(condition, labels, slices, _run(condition, slices, reach), reach)


def _limit(condition: FastCondition) -> _Limit:
    limit, rate = condition.comparison, condition.rate
    threshold, inclusive = float(limit.threshold), limit.operator == ">="
    if rate is None:
        return _Limit(threshold, inclusive, 100, per_event=True)
    return _Limit(threshold, inclusive, rate.per_s or 1, per_event=bool(rate.per_event))


def _run(condition: FastCondition, slices: Sequence[_Slice], reach: float) -> _Run | None:
    """Return the latest run that is long enough, as far back as it is mostly bad."""
    needed = int(condition.lasting.total_seconds())
    marked = [place for place, one in enumerate(slices) if one.first is not None]
    bad_before = [0, *accumulate(one.is_bad for one in slices)]
    for count in range(len(marked), 0, -1):
        end = marked[count - 1]
        begins = _begins(slices, bad_before, marked[:count], needed)
        shortest = next(begins, None)
        if shortest is None:
            continue
        lives = condition.measured == "value" and end == len(slices) - 1
        run = _Run(slices[shortest : end + 1])
        if run.is_recent(reach, GAUGE_LIVES_S if lives else FRESH_S):
            return _Run(slices[min(begins, default=shortest) : end + 1])
    return None


def _begins(
    slices: Sequence[_Slice], bad_before: Sequence[int], marked: Sequence[int], needed: int
) -> Iterator[int]:
    """Yield where runs up to the last marked slice begin, the shortest run first.

    A run is long enough, and most of what is between its first slice and its last is bad: a lump
    now and then is none. bad_before: how many slices before each are bad.
    """
    end = marked[-1]
    number, last = slices[end].number, slices[end].last or 0
    for begin in reversed(marked):
        one = slices[begin]
        if last - (one.first or 0) < needed:
            continue
        if bad_before[end] - bad_before[begin + 1] >= MOSTLY * (number - one.number - 1):
            yield begin


def _summed(limit: _Limit, at_least: int, number: int, tally: Tally) -> _Slice:
    """Add up the seconds of a slice; those of one that is far from bad are skipped."""
    bad, every = sum(tally.bad), sum(tally.every)
    over: list[int] = []
    if bad >= at_least and limit.is_exceeded(bad, every, SLICE_S / 3):
        over = [number * SLICE_S + second for second in limit.seconds_over(tally)]
    is_bad = bool(over) and limit.is_exceeded(bad, every, SLICE_S)
    first, last = over or (None, None)
    return _Slice(number, is_bad, first, last, bad, every, tally.received)


def _gauges(condition: FastCondition, tallies: Mapping[int, Tally]) -> list[_Slice]:
    """Return the slices with the sum of the latest samples of all who report, moment by moment."""
    samples = sorted(
        (at, value, name.partition(" ")[2])
        for tally in tallies.values()
        for name, (at, value) in tally.gauges.items()
    )
    latest: dict[str, tuple[float, float]] = {}
    found: dict[int, list[tuple[int, float]]] = {}
    for at, value, who in samples:
        latest[who] = (at, value)
        total = sum(v for seen, v in latest.values() if at - seen <= GAUGE_LIVES_S)
        found.setdefault(int(at) // SLICE_S, []).append((int(at), total))
    return _carried(condition, tallies, found)


def _carried(
    condition: FastCondition,
    tallies: Mapping[int, Tally],
    found: Mapping[int, Sequence[tuple[int, float]]],
) -> list[_Slice]:
    """Return a slice for each; one without samples is as the one before it left it."""
    slices: list[_Slice] = []
    amount, received = 0.0, (0.0, 0.0)
    for number in range(min(found, default=0), max(found, default=-1) + 1):
        moments = found.get(number, ())
        if moments:
            amount, received = moments[-1][1], tallies[number].received
        bad = [at for at, total in moments if condition.comparison.holds(total)]
        is_bad = bool(condition.comparison.holds(amount))
        first, last = (bad[0], bad[-1]) if bad else (None, None)
        slices.append(_Slice(number, is_bad, first, last, amount, 1, received))
    return slices


def _sample(
    condition: FastCondition,
    labels: Labels,
    slices: Sequence[_Slice],
    run: _Run | None,
    reach: float,
) -> Sample:
    """Return the value, of the run or else of the last minute, and whether it is too much."""
    span = GAUGE_LIVES_S if condition.measured == "value" else condition.lasting.total_seconds()
    recent = int(reach - span) // SLICE_S
    seen = run.slices if run else [one for one in slices if one.number >= recent]
    lasted = run.lasted + 1 if run else condition.lasting.total_seconds()
    onset = datetime.fromtimestamp(run.first, UTC) if run else None
    value = _value(condition, seen, lasted)
    every = None if condition.measured == "rate" else sum(one.every for one in seen)
    return Sample(dict(labels), value, every, onset, run is not None)


def _value(condition: FastCondition, seen: Iterable[_Slice], lasted: float) -> float | None:
    """Return the amount of these slices in the unit of the limit."""
    slices = list(seen)
    bad, every = sum(one.amount for one in slices), sum(one.every for one in slices)
    if condition.measured == "value":
        return slices[-1].amount if slices else None
    if condition.rate and not condition.rate.per_event:
        return bad * condition.rate.per_s / lasted
    if not every:
        return None
    return bad / every if condition.rate else 100 * bad / every
