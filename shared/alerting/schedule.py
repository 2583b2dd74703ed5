"""When a rule is due: whole multiples of its interval, and those that were missed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CATCH_UP_MOST = 10
AHEAD_MOST = timedelta(seconds=5)
"""How far a stored time may be ahead of now: clocks of two instances differ a little."""


@dataclass(frozen=True, slots=True)
class Due:
    """The planned times to evaluate now, oldest first; skipped: how many more are given up."""

    times: tuple[datetime, ...]
    skipped: int = 0


def due(every: timedelta, last: datetime | None, now: datetime) -> Due:
    """Return what is due after the planned time `last`; for a new rule, the latest time alone."""
    latest = floor(now, every)
    if last is None:
        return Due((latest,))
    missed = max(0, (latest - floor(last, every)) // every)
    kept = min(missed, CATCH_UP_MOST)
    return Due(tuple(latest - n * every for n in reversed(range(kept))), missed - kept)


def floor(moment: datetime, step: timedelta) -> datetime:
    """Return the last whole multiple of the step, counted from the epoch, up to the moment."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return moment - (moment - epoch) % step
