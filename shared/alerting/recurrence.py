"""Times of the week by the clock of a place: "Saturdays from 22:00 to 02:00 in Berlin"."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known(zone: str) -> str:
    """Let only zones through that this machine knows."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{zone!r} is no time zone; write one such as Europe/Berlin") from None
    return zone


def _plain(at: time) -> time:
    """Refuse a time with a zone of its own, which `zone` would contradict."""
    if at.tzinfo:
        raise ValueError("the time of day has a zone; write it as 22:00 and give `zone`")
    return at


TimeOfDay = Annotated[
    time,
    AfterValidator(_plain),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"}),
]


class Recurrence(BaseModel, frozen=True, extra="forbid"):
    """A time of day on some days of the week.

    days: those on which it begins; all if left out. start is in it, end is not; an end that is
    not after the start is of the next day. zone: an IANA name, whose clock changes it follows.
    """

    days: tuple[Day, ...] = Field(DAYS, min_length=1)
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    zone: Annotated[str, AfterValidator(_known)] = "UTC"

    def covers(self, now: datetime) -> bool:
        """Return whether the moment is in one of the times."""
        today = now.astimezone(ZoneInfo(self.zone)).date()
        return any(self._covers(day, now) for day in (today, today - timedelta(days=1)))

    def _covers(self, day: date, now: datetime) -> bool:
        """Return whether the moment is in the time that begins on that day.

        Both ends are compared in UTC: two moments of one zone would be compared by their clocks.
        """
        if DAYS[day.weekday()] not in self.days:
            return False
        last = day if self.end > self.start else day + timedelta(days=1)
        return self._moment(day, self.start) <= now < self._moment(last, self.end)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)
