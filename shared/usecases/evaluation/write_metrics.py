"""Writes what was added to the running totals to AppMetrics, once a minute."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from shared.errors import AgentmeterError
from shared.metrics.own import NOT_EXPORTED
from shared.metrics.points import Counted
from shared.ports import Exporter, Mark, SeriesStore, Written
from shared.rows import Exported, ExportLater, ExportRefused
from shared.usecases.minute_rows import rows_since, whole_minute
from shared.usecases.processing.exporting import nearest

MINUTE = timedelta(minutes=1)
LEASE = timedelta(minutes=5)
"""How long a tick may run before the host ends it (functionTimeout in host.json)."""
MOST_OWED = 5_000
"""Rows that wait for Azure Monitor before a further minute waits in the totals alone."""

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
        """Write the minute before that of `now`, and what is still owed of earlier ones.

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

    def _claim(self, written: Written, now: datetime) -> Written:
        """Store that the owed rows are being sent, with those of a new minute where it is time."""
        minute = whole_minute(now) - MINUTE
        if minute > written.minute and len(written.owed) < MOST_OWED:
            written = self._further(written, minute)
        if not written.owed and written.version:
            return written
        return self._mark.save(replace(written, until=now + LEASE))

    def _further(self, written: Written, minute: datetime) -> Written:
        """Return what is written once the rows of that minute are.

        The totals are read after the mark, so that they are never less than what it says.
        """
        totals = self._series.read()
        # Totals of which nothing is noted are history that an earlier release has written: all of
        # it in one minute would be wrong. A gauge is no more than it is.
        before = written.totals if written.version else replace(totals, gauges={})
        rows = rows_since(before, totals, minute)
        return replace(written, minute=minute, totals=totals, owed=(*written.owed, *rows))

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
