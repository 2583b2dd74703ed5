"""The only reader of the time."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the present time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)
