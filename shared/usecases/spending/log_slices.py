"""Reads a long period of the log in parts that one answer can hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from shared.alerting.rule import bind
from shared.clock import Clock
from shared.ports import UsageLog
from shared.usecases.spending.costs import LATEST, named
from shared.usecases.spending.period import Period

STEPS = (
    ("1h", timedelta(hours=1)),
    ("1m", timedelta(minutes=1)),
    ("1s", timedelta(seconds=1)),
)
COUNTED = "| summarize Rows = count() by Slot = bin(At, {step})\n| order by Slot asc"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the period that one answer holds. rows: how many rows it has."""

    period: Period
    rows: int


@dataclass(frozen=True)
class Paging:
    """Cuts a period into pages of some rows of the log, and asks for them.

    rows: a query with {start} and {end} whose rows have their time in `At`.
    page_rows: what a page holds at most, unless a single second holds more.
    """

    log: UsageLog
    clock: Clock
    rows: str
    page_rows: int

    def pages(self, period: Period) -> list[Page]:
        """Return the period in parts, each small enough to be read at once.

        Raises:
            RetryLater: the log did not answer.
        """
        return list(self._pages(period, STEPS))

    def ask(self, then: str, period: Period) -> Iterator[Mapping[str, object]]:
        """Yield what the query answers of the period's rows, by column. then: what goes on it.

        Raises:
            RetryLater: the log did not answer.
        """
        asked = bind(self.rows + then, period.start, period.end)
        return named(self.log.query(asked, period.start, self.clock.now() + LATEST))

    def _pages(self, period: Period, steps: Sequence[tuple[str, timedelta]]) -> Iterator[Page]:
        """Gather neighbouring slots into pages; a slot that is too large is cut finer."""
        (name, step), *finer = steps
        start, rows = period.start, 0
        for slot in self.ask(COUNTED.replace("{step}", name), period):
            begins, more = cast("datetime", slot["Slot"]), cast("int", slot["Rows"])
            begins, ends = max(begins, period.start), min(begins + step, period.end)
            if rows and rows + more > self.page_rows:
                yield Page(Period(start, begins), rows)
                start, rows = begins, 0
            if more > self.page_rows and finer:
                yield from self._pages(Period(begins, ends), finer)
                start, rows = ends, 0
                continue
            rows += more
        if rows:
            yield Page(Period(start, period.end), rows)
