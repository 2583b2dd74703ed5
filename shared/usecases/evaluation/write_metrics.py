"""Writes what was added to the running totals to AppMetrics, once a minute."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.errors import AgentmeterError
from shared.mark_port import EVERY_METRIC, Mark, Written
from shared.metrics.catalogue import METRICS
from shared.metrics.own import NOT_EXPORTED
from shared.metrics.points import Counted, Labels, SeriesState
from shared.ports import Exporter
from shared.rows import Exported, ExportLater, ExportRefused, MetricRow
from shared.store_ports import SeriesStore
from shared.usecases.processing.exporting import nearest

MINUTE = timedelta(minutes=1)
LEASE = timedelta(minutes=5)
"""How long a tick may run before the host ends it (functionTimeout in host.json)."""
MOST_OWED = 5_000
"""Rows that wait for Azure Monitor before a further minute waits in the totals alone."""
Spread = tuple[int, float, tuple[int, ...]]
"""A histogram as SeriesState has it: count, total, buckets (not cumulative)."""

logger = logging.getLogger(__name__)


class Minutely:
    """Notes which rows it owes before it sends them, and what is left of them after.

    Two at once do not write the same minute: the note of the second one is refused. When a process
    vanishes between the two notes, its rows are sent again, once its lease is over: those of a
    minute may then stand twice, and no other.
    """

    def __init__(self, series: SeriesStore, mark: Mark, exporter: Callable[[], Exporter]) -> None:
        """exporter: is called at each tick, so that a wrong setting of it stops no page."""
        self._series = series
        self._mark = mark
        self._exporter = exporter

    def write(self, now: datetime) -> None:
        """Write the minute before that of `now`, and what is still owed of earlier ones; then have
        the totals compacted.

        now: when the tick began. Never raises for an export or a store that fails: what was not
        taken is sent in the next minute.
        """
        try:
            exporter, written = self._exporter(), self._mark.load()
            if written.owed and now < written.until:
                return
            claimed = self._claim(written, now)
            if claimed.owed:
                self._send(claimed, exporter, now)
        except AgentmeterError as exc:
            logger.warning("Metrics of this minute wait for the next tick: %s", exc)
        try:
            self._series.compact(now)
        except AgentmeterError as exc:
            logger.warning("The totals are compacted at the next tick: %s", exc)

    def _claim(self, written: Written, now: datetime) -> Written:
        """Store that the owed rows are being sent, with those of a new minute where it is time."""
        minute, is_known = whole_minute(now) - MINUTE, written.version and not written.lost
        if minute > written.minute and len(written.owed) < MOST_OWED:
            written = self._further(written, minute)
        if not written.owed and is_known:
            return written
        return self._mark.save(replace(written, until=now + LEASE))

    def _further(self, written: Written, minute: datetime) -> Written:
        """Return what is written once the rows of that minute are.

        The totals are read after the mark, so that they are never less than what it says.
        """
        totals = self._series.read()
        found = rows_since(written.totals, totals, minute)
        lost = written.lost
        rows = (row for row in found if row.name not in lost and EVERY_METRIC not in lost)
        owed = (*written.owed, *rows)
        return replace(written, minute=minute, totals=totals, owed=owed, lost=frozenset())

    def _send(self, claimed: Written, exporter: Exporter, now: datetime) -> None:
        """Send the owed rows; store which of them are left, and count those that never will go."""
        rows = [replace(row, time=nearest(row.time, now)) for row in claimed.owed]
        outcomes = exporter.metrics(rows)
        judged = zip(claimed.owed, outcomes, strict=True)
        left = tuple(row for row, outcome in judged if isinstance(outcome, ExportLater))
        self._mark.save(replace(claimed, owed=left, until=now))
        if refused := sum(isinstance(outcome, ExportRefused) for outcome in outcomes):
            lost = Counted(NOT_EXPORTED.name, (), Decimal(refused))
            self._series.apply(f"metric rows {claimed.version}", [lost], now)
        if wrong := next((o for o in outcomes if not isinstance(o, Exported)), None):
            logger.warning("Not every row of metrics was taken: %s", wrong.why)


def rows_since(before: SeriesState, now: SeriesState, minute: datetime) -> Iterator[MetricRow]:
    """Yield a row of that minute for each counter and histogram that grew, and for each new sample
    of a gauge one of the sample's own minute.

    A total that is less than it was has been started anew: all of it is new.
    """
    for (name, labels), total in now.counters.items():
        had = before.counters.get((name, labels), Decimal(0))
        if added := total - had if total >= had else total:
            yield MetricRow(name, minute, labels, float(added))
    for (name, labels), spread in now.histograms.items():
        added = _grown(before.histograms.get((name, labels)), spread)
        bounds = METRICS[name].buckets if name in METRICS else ()
        # Totals by the bounds of another release are no spread of today's metric.
        if added[0] and len(added[2]) == len(bounds) + 1:
            low, high = _bounds(bounds, *added[1:])
            yield MetricRow(name, minute, labels, added[1], added[0], low, high)
    for gauge, (at, value) in now.gauges.items():
        if before.gauges.get(gauge) != (at, value):
            yield gauge_row(*gauge, at, value)


def gauge_row(name: str, labels: Labels, source: str, at: datetime, value: float) -> MetricRow:
    """Return the row of a sample. It names its source, so that sums can add sources."""
    return MetricRow(name, whole_minute(at), (*labels, ("source", source)), value)


def whole_minute(at: datetime) -> datetime:
    """Return the minute that the moment falls into."""
    return at.replace(second=0, microsecond=0)


def _grown(before: Spread | None, now: Spread) -> Spread:
    """Return what was added; all of it where the buckets are others, or hold less than before."""
    if before is None or len(before[2]) != len(now[2]):
        return now
    added = [new - old for new, old in zip(now[2], before[2], strict=True)]
    if min(added) < 0:
        return now
    return now[0] - before[0], now[1] - before[1], tuple(added)


def _bounds(bounds: Sequence[float], total: float, buckets: Sequence[int]) -> tuple[float, float]:
    """Return what no observation was below, and what none was above.

    The last bucket has no upper bound: no observation there is above what is left of the total when
    each of the others is as small as its bucket lets it be.
    """
    edges = (0.0, *bounds)
    filled = [n for n, count in enumerate(buckets) if count]
    first, last = filled[0], filled[-1]
    if last < len(bounds):
        return edges[first], bounds[last]
    least = sum(edge * count for edge, count in zip(edges, buckets, strict=True))
    return edges[first], max(edges[last], total - least + edges[last])
