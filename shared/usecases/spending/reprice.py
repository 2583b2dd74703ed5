"""Prices the calls of a period again, and writes what differs as adjustments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.clock import Clock
from shared.errors import RetryLater
from shared.ports import Exporter, UsageLog
from shared.rows import Exported, ExportLater, ExportRefused
from shared.usecases.processing.process import Prices
from shared.usecases.spending.adjustment import (
    READ,
    ROW_COLUMNS,
    Note,
    Recorded,
    Repriced,
    adjustment,
    read_log,
)
from shared.usecases.spending.log_slices import Page, Paging
from shared.usecases.spending.period import Period
from shared.usecases.spending.spent_query import ROWS

PAGE_ROWS = 50_000
"""Well below what one answer of Log Analytics holds: 500,000 rows, 100 MB."""
PATIENCE = timedelta(minutes=3)
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0

CALLS = f"| project {', '.join((*ROW_COLUMNS, *(column.name for column in READ)))}"


@dataclass(frozen=True, slots=True)
class Judged:
    """The calls of a page at the prices of now. unreadable: rows that are none of ours."""

    calls: tuple[Repriced, ...]
    unreadable: int


class Reprice:
    """Reads calls, prices them, corrects the log.

    A repeat writes nothing that is there. What a run that died had written is found by the next;
    if it is not to be seen yet it is written once more under the same id, and counts once.
    """

    def __init__(
        self, log: UsageLog, prices: Prices, clock: Clock, *, page_rows: int = PAGE_ROWS
    ) -> None:
        self._paging = Paging(log, clock, ROWS, page_rows)
        self._prices = prices

    def pages(self, period: Period) -> list[Page]:
        """Return the period in parts, each small enough to be read at once. Raises as judge."""
        return self._paging.pages(period)

    def judge(self, page: Page) -> Judged:
        """Read the page's calls and price each at its own time.

        Raises:
            RetryLater: the log did not answer.
        """
        calls, unreadable = read_log(self._paging.ask(CALLS, page.period))
        return Judged(tuple(map(self._reprice, calls)), unreadable)

    def _reprice(self, recorded: Recorded) -> Repriced:
        return Repriced(recorded, self._prices.price(recorded.call, recorded.happened_at))


class Adjust:
    """Writes adjustments until Azure Monitor has each, or will never take it."""

    def __init__(
        self, exporter: Exporter, clock: Clock, note: Note, pause: Callable[[float], object]
    ) -> None:
        """pause: waits so many seconds."""
        self._exporter = exporter
        self._clock = clock
        self._note = note
        self._pause = pause

    def write(self, differing: Sequence[Repriced]) -> list[ExportRefused]:
        """Write an adjustment for each; return why some were refused for good.

        Raises:
            RetryLater: Azure Monitor did not take all of them within three minutes. The same
                command goes on where this one ended.
        """
        waiting = [adjustment(one, self._note, self._clock.now()) for one in differing]
        refused: list[ExportRefused] = []
        give_up_at = self._clock.now() + PATIENCE
        wait_s = FIRST_WAIT_S
        while waiting:
            outcomes = self._exporter.events(waiting)
            refused += [outcome for outcome in outcomes if isinstance(outcome, ExportRefused)]
            later = [outcome for outcome in outcomes if isinstance(outcome, ExportLater)]
            waiting = [
                row
                for row, outcome in zip(waiting, outcomes, strict=True)
                if not isinstance(outcome, Exported | ExportRefused)
            ]
            if later and self._clock.now() >= give_up_at:
                raise RetryLater(f"{len(later):,} adjustments were not taken: {later[0].why}")
            if later:
                self._pause(max(wait_s, later[0].retry_after_s or 0.0))
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        return refused
