"""What every export does with its outcomes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.errors import RetryLater
from shared.rows import ExportLater, ExportOutcome

OLDEST = timedelta(hours=47)
NEWEST = timedelta(hours=1)


class NotTaken(RetryLater):
    """Azure Monitor wants `items` of what it was sent once more."""

    def __init__(self, message: str, retry_after_s: float | None, items: int) -> None:
        super().__init__(message, retry_after_s)
        self.items = items


def nearest(moment: datetime, now: datetime) -> datetime:
    """Return the moment, or the nearest that Azure Monitor takes: 47 h back, 1 h ahead."""
    return min(max(moment, now - OLDEST), now + NEWEST).astimezone(UTC)


def raise_if_later(what: str, outcomes: Sequence[ExportOutcome]) -> None:
    """Ask the queue for another try if any item wants one.

    Raises:
        NotTaken: with how long Azure Monitor asked to wait.
    """
    if later := [o for o in outcomes if isinstance(o, ExportLater)]:
        raise NotTaken(
            f"Not every {what} was taken. {later[0].why.rstrip('.')}. The queue tries again.",
            *(later[0].retry_after_s, len(later)),
        )
