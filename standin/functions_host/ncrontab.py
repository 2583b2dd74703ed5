"""NCRONTAB and TimeSpan schedules, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from standin.functions_host.hostjson import span_s

MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
    *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
DAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
SHORTEST_NAME = 3
ITEM = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = timedelta(days=366 * 40)


@dataclass(frozen=True, slots=True)
class Cron:
    """The moments that fit all six sets; a weekday is 0 (Sunday) to 6."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, moment: datetime) -> datetime:
        """Return the first moment later than that one.

        Raises:
            ValueError: there is none, such as on 30 February.
        """
        at = moment.replace(microsecond=0) + timedelta(seconds=1)
        while at - moment < FAR:
            skip_to = self._skip(at)
            if skip_to is None:
                return at
            at = skip_to
        raise ValueError("it never occurs; no month has such a day")

    def _skip(self, at: datetime) -> datetime | None:
        """Return where to look next, or None if `at` itself fits."""
        weekday = at.isoweekday() % 7
        if not (at.month in self.months and at.day in self.days and weekday in self.weekdays):
            return at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        if at.hour not in self.hours:
            return at.replace(minute=0, second=0) + timedelta(hours=1)
        if at.minute not in self.minutes:
            return at.replace(second=0) + timedelta(minutes=1)
        return None if at.second in self.seconds else at + timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Every:
    """A fixed time after the run before."""

    interval: timedelta

    def after(self, moment: datetime) -> datetime:
        """Return the moment one interval later."""
        return moment + self.interval


Schedule = Cron | Every


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a schedule: `*`, `5`, `1-5`, `*/10`, `5/10`, and lists of them."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int]:
        """Return the numbers that the field stands for."""
        return frozenset(number for item in text.split(",") for number in self._item(item))

    def _item(self, text: str) -> range:
        match = ITEM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no {self.name}")
        star, first, last, step = match.groups()
        start = self.low if star else self._number(first)
        open_end = star or step is not None
        end = self._number(last) if last else (self.high if open_end else start)
        # As NCrontab has it: 22-2 is 2-22, and a step of 0 is 1.
        return range(min(start, end), max(start, end) + 1, int(step or 0) or 1)

    def _number(self, text: str) -> int:
        named = [word for word in self.words if word.startswith(text.upper())]
        if named and len(text) >= SHORTEST_NAME:
            return self.words.index(named[0]) + self.low
        if text.isdecimal() and self.low <= int(text) <= self.high:
            return int(text)
        raise ValueError(f"{text!r} is no {self.name}; it goes from {self.low} to {self.high}")


FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("weekday", 0, 6, DAYS),
)


def parse(text: str) -> Schedule:
    """Read six fields (five: without seconds), or a TimeSpan such as 00:05:00.

    24:00:00 is 24 days to a TimeSpan, and 5 is five of them.

    Raises:
        ValueError: says which part is wrong, or that it never occurs.
    """
    interval_s = span_s(text.strip(" "))
    if interval_s:
        return Every(timedelta(seconds=interval_s))
    parts = [part for part in text.split(" ") if part]
    if len(parts) not in (5, 6):
        raise ValueError(f"{text!r} has {len(parts)} fields; write six, seconds first")
    fields = ["0"] * (6 - len(parts)) + parts
    cron = Cron(*(field.read(part) for field, part in zip(FIELDS, fields, strict=True)))
    cron.after(EPOCH)
    return cron


def often(schedule: Schedule, moment: datetime) -> bool:
    """Return whether it occurs more than once a minute, which Azure does not keep a status of."""
    first = schedule.after(moment)
    return schedule.after(first) - first < timedelta(minutes=1)
