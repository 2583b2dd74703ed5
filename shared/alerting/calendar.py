"""Days, weeks and months as people in a time zone count them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel

Period = Literal["day", "week", "month"]


def _known(name: str) -> str:
    """Let only names through that this machine has the rules of."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f'{name!r} is no time zone known here; write an IANA name, such as "Europe/Berlin"'
        ) from None
    return name


TimeZone = Annotated[str, AfterValidator(_known)]


class Calendar(BaseModel, frozen=True, extra="forbid"):
    """One period follows the other without a gap; a week begins on Monday.

    A period begins at its first midnight, or where the clocks skip that, when they do. So a day has
    23 to 25 hours where clocks change.
    """

    period: Period
    timezone: TimeZone = "UTC"

    @property
    def longest(self) -> timedelta:
        """Return a span that no period is longer than."""
        return timedelta(days={"day": 2, "week": 8, "month": 32}[self.period])

    def start(self, at: datetime) -> datetime:
        """Return the first moment of the period that the moment is in, in UTC."""
        return self._midnight(self._first_day(at))

    def end(self, at: datetime) -> datetime:
        """Return the first moment after the period that the moment is in, in UTC."""
        return self._midnight(self._next_first_day(self._first_day(at)))

    def _first_day(self, at: datetime) -> date:
        day = at.astimezone(ZoneInfo(self.timezone)).date()
        if self.period == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.period == "month" else day

    def _next_first_day(self, day: date) -> date:
        if self.period == "month":
            return (day + timedelta(days=31)).replace(day=1)
        return day + timedelta(days=7 if self.period == "week" else 1)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.timezone)).astimezone(UTC)
