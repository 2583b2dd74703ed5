"""Reads the rows of UsageEvents of a long period, in the order of time, a few pages ahead."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import cast

from shared.events.columns import NUMBERS, TEXT
from shared.rows import EventRow
from shared.usecases.evaluation.evaluate import QUERIES_AT_ONCE
from shared.usecases.spending.log_slices import Page, Paging

ROWS = """UsageEvents
| where TimeGenerated >= {start} and TimeGenerated < {end}
| extend At = TimeGenerated
"""
"""By the time that rules see."""
KEPT = (
    f"| project At, Name, {', '.join(column.name for column in (*TEXT, *NUMBERS))}"
    ", OperationId, ParentId\n| order by At asc"
)
PAGE_ROWS = 20_000
"""Log Analytics answers with 100 MB at most; a row with every column in use has some 2 KB."""


def read_rows(paging: Paging, pages: Sequence[Page]) -> Iterator[EventRow]:
    """Yield the rows of the pages, which are in order; at most four are asked for at once.

    Raises:
        RetryLater: the log did not answer.
    """
    waiting = deque(pages)
    asked: deque[Future[list[EventRow]]] = deque()
    with ThreadPoolExecutor(QUERIES_AT_ONCE) as pool:
        try:
            while waiting or asked:
                while waiting and len(asked) < QUERIES_AT_ONCE:
                    asked.append(pool.submit(_page, paging, waiting.popleft()))
                yield from asked.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _page(paging: Paging, page: Page) -> list[EventRow]:
    return [event_row(row) for row in paging.ask(KEPT, page.period)]


def event_row(row: Mapping[str, object]) -> EventRow:
    """Return the row as it was written."""
    text = {column.key: str(row[column.name]) for column in TEXT if row[column.name]}
    numbers = {
        column.key: float(cast("float", row[column.name]))
        for column in NUMBERS
        if row[column.name] is not None
    }
    ids = (str(row[name] or "") for name in ("OperationId", "ParentId"))
    return EventRow(str(row["Name"]), cast("datetime", row["At"]), text, numbers, *ids)
