"""Which waiting pages go out now: not too many at once, a resolve not on its trigger's heels."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from shared.alerting.page import Accepted, Delivery, Dropped, Page

PER_MINUTE = 100
"""Attempts a minute at one destination; PagerDuty takes about 120 of one integration key."""
RESOLVE_AFTER = timedelta(seconds=5)
"""PagerDuty's 202 means that the trigger waits in its own queue, which a resolve may overtake."""

Settled = tuple[Page, Delivery, datetime]
Destination = TypeVar("Destination")


def needless(waiting: Iterable[Page]) -> list[Page]:
    """Return the pages of incidents that were never sent and that are over, in their order.

    waiting: the whole outbox, oldest first.
    """
    lines: dict[tuple[str, str], list[Page]] = {}
    for page in waiting:
        lines.setdefault(page.line, []).append(page)
    return [page for line in lines.values() for page in _over(line)]


def _over(line: Sequence[Page]) -> Sequence[Page]:
    """Return the start of an incident's line, up to its resolve, if nothing of it arrived."""
    if (line[0].action, line[0].reason) != ("trigger", "first"):
        return ()
    for number, page in enumerate(line):
        if page.doubts:
            return ()
        if page.action == "resolve":
            return line[: number + 1]
    return ()


def repaired_last(pages: Iterable[Page]) -> list[Page]:
    """Put those that wait for a repair behind all others, which must not wait with them."""
    return sorted(pages, key=lambda page: page.cause == "repair")


def rested(pages: Iterable[Page], settled: Iterable[Settled], now: datetime) -> list[Page]:
    """Leave out the resolves whose trigger was taken only just now."""
    fresh = {
        page.dedup_key
        for page, outcome, at in settled
        if page.action == "trigger"
        and isinstance(outcome, Accepted)
        and timedelta(0) <= now - at < RESOLVE_AFTER
    }
    return [page for page in pages if page.action == "trigger" or page.dedup_key not in fresh]


def paced(
    pages: Iterable[Page],
    waiting: Iterable[Page],
    settled: Iterable[Settled],
    destination: Callable[[Page], Destination],
    now: datetime,
) -> list[Page]:
    """Leave out what would make more than PER_MINUTE attempts at a destination in this minute.

    waiting, settled: they hold the last attempt of each page, which is enough, for a page is
        tried a time or two a minute.
    """
    tried = [*waiting, *(page for page, outcome, _ in settled if not isinstance(outcome, Dropped))]
    minute = timedelta(minutes=1)
    spent = Counter(
        destination(page)
        for page in tried
        if page.tried_at and timedelta(0) <= now - page.tried_at < minute
    )
    going: list[Page] = []
    for page in pages:
        spent[destination(page)] += 1
        if spent[destination(page)] <= PER_MINUTE:
            going.append(page)
    return going
