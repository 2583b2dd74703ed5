"""The queue of a replay: messages come when they are due, and again where that failed."""

import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta

RETRIED_AFTER = timedelta(seconds=30)
"""`visibilityTimeout` of host.json."""


@dataclass(order=True, frozen=True, slots=True)
class Item:
    """A message. at: when it comes. number: its place among those of the same moment."""

    at: datetime
    number: int
    text: str = field(compare=False)
    delivery: int = field(compare=False)


class Queue:
    """Hands over messages in the order in which they are due."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._count = 0

    def put(self, text: str, at: datetime, delivery: int = 1) -> None:
        """Add a message that comes at that moment."""
        self._count += 1
        heapq.heappush(self._items, Item(at, self._count, text, delivery))

    def take(self, now: datetime) -> Item | None:
        """Return the next message that has come by now, None where there is none."""
        return heapq.heappop(self._items) if self._items and self._items[0].at <= now else None
