"""Rows of a long period are asked for a few pages ahead, and come as they were written."""

import threading
from datetime import datetime, timedelta

from ops.console.past_rows import ROWS, event_row, read_rows
from shared.events.columns import NUMBERS, TEXT
from shared.ports import Table
from shared.rows import EventRow
from shared.usecases.spending.log_slices import Page, Paging
from shared.usecases.spending.period import Period
from tests.fakes import START, FakeClock

COLUMNS = ("At", "Name", *(column.name for column in (*TEXT, *NUMBERS)), "OperationId", "ParentId")
HOUR = timedelta(hours=1)


class CountingLog:
    """Answers each page with a row of its start; knows how many asked at once at most."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()
        self._full = threading.Event()

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        if self.most >= 4:
            self._full.set()
        self._full.wait(10)
        with self._lock:
            self._now -= 1
        known = {"At": start, "Name": "error", "EventId": f"{start}", "Source": "s", "Count": 3}
        return Table(COLUMNS, (tuple(known.get(name) for name in COLUMNS),))


def test_four_pages_are_asked_for_at_once_and_come_in_order() -> None:
    log = CountingLog()
    pages = [Page(Period(START + n * HOUR, START + (n + 1) * HOUR), 1) for n in range(12)]
    rows = list(read_rows(Paging(log, FakeClock(), ROWS, 1), pages))
    assert [row.time for row in rows] == [page.period.start for page in pages]
    assert log.most == 4


def test_a_row_is_as_it_was_written() -> None:
    written = dict.fromkeys(COLUMNS) | {
        "At": START,
        "Name": "llm.call",
        "EventId": "e1",
        "Source": "",
        "CostUsd": 0.0,
        "Count": 2,
        "OperationId": "a" * 32,
    }
    assert event_row(written) == EventRow(
        "llm.call", START, {"id": "e1"}, {"cost_usd": 0.0, "count": 2.0}, "a" * 32, ""
    )
