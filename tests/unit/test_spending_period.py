from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.usecases.spending.buckets import Buckets
from shared.usecases.spending.period import Period, free, named

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 11, 10, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "start", "end", "before", "until"),
    [
        ("today", "2026-11-10T23:00", "2026-11-11T23:00", "2026-11-09T23:00", "2026-11-10T10:30"),
        ("yesterday", "2026-11-09T23:00", "2026-11-10T23:00", "2026-11-08T23:00", None),
        (
            "this_week",
            "2026-11-08T23:00",
            "2026-11-15T23:00",
            "2026-11-01T23:00",
            "2026-11-04T10:30",
        ),
        ("last_week", "2026-11-01T23:00", "2026-11-08T23:00", "2026-10-25T23:00", None),
        (
            "this_month",
            "2026-10-31T23:00",
            "2026-11-30T23:00",
            "2026-09-30T22:00",
            "2026-10-11T09:30",
        ),
        (
            "last_month",
            "2026-09-30T22:00",
            "2026-10-31T23:00",
            "2026-08-31T22:00",
            "2026-10-01T23:00",
        ),
        (
            "this_quarter",
            "2026-09-30T22:00",
            "2026-12-31T23:00",
            "2026-06-30T22:00",
            "2026-08-11T10:30",
        ),
        ("last_year", "2024-12-31T23:00", "2025-12-31T23:00", "2023-12-31T23:00", None),
        ("24h", "2026-11-10T10:30", "2026-11-11T10:30", "2026-11-09T10:30", None),
        ("2w", "2026-10-28T10:30", "2026-11-11T10:30", "2026-10-14T10:30", None),
    ],
)
def test_named_periods_and_those_before(
    name: str, start: str, end: str, before: str, until: str | None
) -> None:
    asked = named(name, BERLIN, NOW)
    assert asked.period == Period(at(start), at(end))
    end_before = min(at(until), asked.period.start) if until else asked.period.start
    assert asked.before == Period(at(before), end_before)


@pytest.mark.parametrize("name", ["", "this_day", "next_week", "7m", "0d", "9999w", "٣d"])
def test_other_words_are_no_period(name: str) -> None:
    with pytest.raises(ValueError, match=name or "^$"):
        named(name, BERLIN, NOW)


def test_a_period_that_goes_on_has_its_part_before() -> None:
    asked = free(Period(NOW - timedelta(hours=6), NOW + timedelta(hours=6)), NOW)
    assert asked.before == Period(NOW - timedelta(hours=12), NOW - timedelta(hours=6))


def test_days_are_as_long_as_the_clocks_make_them() -> None:
    period = Period(at("2026-10-24T12:00"), at("2026-10-26T12:00"))
    starts = Buckets("day", "Europe/Berlin").starts(period)
    assert starts == [at("2026-10-23T22:00"), at("2026-10-24T22:00"), at("2026-10-25T23:00")]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Lord_Howe", "America/New_York"])
def test_hours_begin_as_the_zone_has_them(zone: str) -> None:
    period = Period(at("2026-10-02T12:20"), at("2026-10-05T12:00"))
    starts = Buckets("hour", zone).starts(period)
    assert starts[0] <= period.start < starts[1]
    assert {start.astimezone(ZoneInfo(zone)).minute for start in starts} <= {0, 30}
