"""What every export does with its outcomes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.errors import RetryLater
from shared.ports import ExportLater, ExportOutcome

OLDEST = timedelta(hours=47)
NEWEST = timedelta(hours=1)


def nearest(moment: datetime, now: datetime) -> datetime:
    """Return the moment, or the nearest that Azure Monitor takes: 47 h back, 1 h ahead."""
    return min(max(moment, now - OLDEST), now + NEWEST).astimezone(UTC)


def raise_if_later(what: str, outcomes: Sequence[ExportOutcome]) -> None:
    """Ask the queue for another try if any item wants one.

    Raises:
        RetryLater: with how long Azure Monitor asked to wait.
    """
    later = next((o for o in outcomes if isinstance(o, ExportLater)), None)
    if later:
        raise RetryLater(
            f"Not every {what} was taken. {later.why.rstrip('.')}. The queue tries again.",
            later.retry_after_s,
        )
