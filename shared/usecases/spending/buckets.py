"""Cuts a period into hours, days, weeks or months of a time zone, in Python and in KQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from shared.alerting.calendar import Calendar
from shared.alerting.rule import moment_literal
from shared.usecases.spending.period import Period

Width = Literal["hour", "day", "week", "month"]
WIDTHS: tuple[Width, ...] = ("hour", "day", "week", "month")
HOUR = timedelta(hours=1)
_SLOT: Mapping[Width, str] = {
    "hour": "bin(Local, 1h) - Ahead * 1s",
    "day": "bin(Local, 1d)",
    "week": "bin(Local, 7d)",
    "month": "startofmonth(Local)",
}
"""The first moment of the bucket: of an hour in UTC, else local. Bins count from a Monday,
0001-01-01."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Hours, days, weeks from Monday or months, as people in the time zone count them."""

    width: Width
    timezone: str

    def starts(self, period: Period) -> list[datetime]:
        """Return when each bucket of the period begins, the one first that its start is in."""
        starts = [self._start(period.start)]
        while (after := self._after(starts[-1])) < period.end:
            starts.append(after)
        return starts

    def extended(self, period: Period) -> str:
        """Return the KQL that adds Slot, the bucket that the time At is in."""
        return f"""| extend Ahead = {_ahead_kql(list(_changes(self._zone, period)))}
| extend Local = At + Ahead * 1s
| extend Slot = {_SLOT[self.width]}
"""

    def start_of(self, slot: datetime) -> datetime:
        """Return the beginning of the bucket that Slot means."""
        if self.width == "hour":
            return slot
        return slot.replace(tzinfo=self._zone).astimezone(UTC)

    def written(self, start: datetime) -> str:
        """Write the beginning of a bucket in local time."""
        return start.astimezone(self._zone).isoformat()

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def _start(self, at: datetime) -> datetime:
        if self.width == "hour":
            local = at.astimezone(self._zone)
            past = timedelta(minutes=local.minute, seconds=local.second)
            return (at - past).replace(microsecond=0).astimezone(UTC)
        return Calendar(period=self.width, timezone=self.timezone).start(at)

    def _after(self, start: datetime) -> datetime:
        if self.width == "hour":
            return start + HOUR
        return Calendar(period=self.width, timezone=self.timezone).end(start)


def _changes(zone: ZoneInfo, period: Period) -> Iterator[tuple[datetime, int]]:
    """Yield each moment from which clocks are so many seconds ahead of UTC, the start first."""
    at, seconds = period.start, _ahead(zone, period.start)
    yield at, seconds
    while at < period.end:
        after = min(at + timedelta(days=1), period.end)
        if (then := _ahead(zone, after)) != seconds:
            yield _change(zone, at, after), then
            seconds = then
        at = after


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the second between the two moments in which the clocks change."""
    before, apart = _ahead(zone, low), int((high - low).total_seconds())
    while apart > 1:
        middle = low + timedelta(seconds=apart // 2)
        low, high = (middle, high) if _ahead(zone, middle) == before else (low, middle)
        apart = int((high - low).total_seconds())
    return high.replace(microsecond=0)


def _ahead(zone: ZoneInfo, at: datetime) -> int:
    return int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _ahead_kql(changes: list[tuple[datetime, int]]) -> str:
    """Return the KQL of the seconds that clocks are ahead of UTC at the time At."""
    if len(changes) == 1:
        return str(changes[0][1])
    until = pairwise(changes)
    cases = (f"At < {moment_literal(end)}, {ahead}" for (_, ahead), (end, _) in until)
    return f"case({', '.join(cases)}, {changes[-1][1]})"
