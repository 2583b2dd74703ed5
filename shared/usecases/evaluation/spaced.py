"""Leaves out runs of the timer where a setting says so."""

from datetime import datetime, timedelta

from shared.alerting.schedule import floor


class Spaced:
    """Leaves out runs of the timer, to cost less."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def is_due(self, now: datetime, every_s: int) -> bool:
        """Tell whether this is the first run of so many seconds."""
        span = floor(now, timedelta(seconds=every_s))
        is_first, self._last = span != self._last, span
        return is_first
