"""Judges fast conditions by what was tallied: is it bad, and for how long already?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


@dataclass(frozen=True, slots=True)
class _Slice:
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

    def is_exceeded(self, bad: float, every: float, seconds: float) -> bool:
        """Tell whether so much in that time, or of that many, is over the limit."""
        if self.per_event and not every:
            return False
        value = bad * self.per / (every if self.per_event else seconds)
        return value > self.threshold or (self.inclusive and value == self.threshold)


@dataclass(frozen=True, slots=True)
class _Run:
    """Slices from one with a bad second to another."""

    slices: Sequence[_Slice]

    @property
    def first(self) -> int:
        return next(s.first for s in self.slices if s.first is not None)

    @property
    def last(self) -> int:
        return next(s.last for s in reversed(self.slices) if s.last is not None)

    @property
    def lasted(self) -> int:
        return self.last - self.first

    @property
    def is_mostly_bad(self) -> bool:
        """Tell whether most of what is between the first slice and the last is bad: a lump now and
        then is none."""
        between = self.slices[-1].number - self.slices[0].number - 1
        return sum(one.is_bad for one in self.slices[1:-1]) >= MOSTLY * between

    def is_recent(self, reach: float, fresh_s: float) -> bool:
        """Tell whether it goes on, by its own times or, of a slow clock, by those of receipt."""
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
        sums = (amount for t in series[labels].values() for amount in t.sums.values())
        return sum(bad for bad, _ in sums)

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
    needed = condition.lasting.total_seconds()
    latest = len(slices) - 1
    for end in range(latest, -1, -1):
        if slices[end].last is None:
            continue
        lives = condition.measured == "value" and end == latest
        fresh_s = GAUGE_LIVES_S if lives else FRESH_S
        found: _Run | None = None
        for start in range(end, -1, -1):
            if slices[start].first is None:
                continue
            run = _Run(slices[start : end + 1])
            if run.lasted >= needed and run.is_mostly_bad:
                if found is None and not run.is_recent(reach, fresh_s):
                    break
                found = run
        if found:
            return found
    return None


def _summed(limit: _Limit, at_least: int, number: int, tally: Tally) -> _Slice:
    """Add up the seconds of a slice; those of one that is far from bad are not looked at."""
    bad = sum(amount for amount, _ in tally.sums.values())
    every = sum(amount for _, amount in tally.sums.values())
    seconds: list[int] = []
    if bad >= at_least and limit.is_exceeded(bad, every, SLICE_S / 3):
        seconds = [s for s, (b, e) in tally.sums.items() if limit.is_exceeded(b, e, 1)]
        if not seconds and limit.per == 1 and limit.per_event:
            seconds = list(tally.sums)
    base = number * SLICE_S
    return _Slice(
        number,
        bool(seconds) and limit.is_exceeded(bad, every, SLICE_S),
        base + min(seconds) if seconds else None,
        base + max(seconds) if seconds else None,
        bad,
        every,
        tally.received,
    )


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
