"""Periods of spending: free ones, those of the calendar, and the period before one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOST_BACK = timedelta(days=3_700)
"""Log Analytics keeps no row for longer than some ten years."""
UNITS = ("day", "week", "month", "quarter", "year")
MONTHS: Mapping[str, int] = {"month": 1, "quarter": 3, "year": 12}
NAMES: tuple[str, ...] = (
    *("today", "yesterday"),
    *(f"{which}_{unit}" for unit in UNITS[1:] for which in ("this", "last")),
)
_DAYS: Mapping[str, str] = {"today": "this_day", "yesterday": "last_day"}
_SPAN = re.compile(r"([1-9]\d{0,3})([hdw])", re.ASCII)
_SPANS: Mapping[str, timedelta] = {
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class Period:
    """From start, up to and without end."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Return how long it is."""
        return self.end - self.start

    def passed(self, now: datetime) -> timedelta:
        """Return how much of it is over."""
        return min(max(now, self.start), self.end) - self.start


@dataclass(frozen=True, slots=True)
class Asked:
    """A period and the one that it is compared with, which is as long as what of it has passed."""

    period: Period
    before: Period


def free(period: Period, now: datetime) -> Asked:
    """Return the period with the equally long time directly before it."""
    return Asked(period, Period(period.start - period.passed(now), period.start))


def named(name: str, zone: ZoneInfo, now: datetime) -> Asked:
    """Read one of NAMES, or a span that ends now, such as 24h, 7d or 4w.

    A calendar period that goes on is compared with the same part of the one before.
    Raises:
        ValueError: it is neither.
    """
    if span := _SPAN.fullmatch(name):
        length = int(span[1]) * _SPANS[span[2]]
        if length <= MOST_BACK:
            return free(Period(now - length, now), now)
    if name not in NAMES:
        raise ValueError(name)
    which, unit = _DAYS.get(name, name).split("_")
    first = _first_day(now.astimezone(zone).date(), unit)
    if which == "last":
        first = _moved(first, unit, -1)
    start, end, prior = (_midnight(_moved(first, unit, n), zone) for n in (0, 1, -1))
    period = Period(start, end)
    until = start if now >= end else min(prior + period.passed(now), start)
    return Asked(period, Period(prior, until))


def _first_day(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit in MONTHS:
        return day.replace(day=1, month=day.month - (day.month - 1) % MONTHS[unit])
    return day


def _moved(first: date, unit: str, by: int) -> date:
    """Return the first day of the period so many further on."""
    if unit not in MONTHS:
        return first + by * timedelta(days=7 if unit == "week" else 1)
    months = first.year * 12 + first.month - 1 + by * MONTHS[unit]
    return date(months // 12, months % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of the day: where clocks skip midnight, when they do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
