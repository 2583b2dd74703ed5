"""Where days, weeks and months begin and end, whatever the clocks do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.alerting.calendar import Calendar, Period

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo"),
    *("America/Havana", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"),
)


@pytest.mark.parametrize(
    ("period", "zone", "at", "start", "end"),
    [
        ("day", "UTC", "2026-11-30T12:00", "2026-11-30T00:00", "2026-12-01T00:00"),
        ("day", "UTC", "2026-11-30T00:00", "2026-11-30T00:00", "2026-12-01T00:00"),
        ("day", "UTC", "2026-11-29T23:59:59.999999", "2026-11-29T00:00", "2026-11-30T00:00"),
        ("month", "UTC", "2026-01-31T23:59", "2026-01-01T00:00", "2026-02-01T00:00"),
        ("month", "UTC", "2028-02-29T10:00", "2028-02-01T00:00", "2028-03-01T00:00"),
        ("month", "UTC", "2026-12-31T23:00", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("week", "UTC", "2026-11-23T00:00", "2026-11-23T00:00", "2026-11-30T00:00"),
        ("week", "UTC", "2026-11-22T23:59", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("week", "UTC", "2027-01-01T08:00", "2026-12-28T00:00", "2027-01-04T00:00"),
        # Winter to summer on 29 March 2026: a day of 23 h, a week of 167 h, a month of 743 h.
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("week", "Europe/Berlin", "2026-03-29T12:00", "2026-03-22T23:00", "2026-03-29T22:00"),
        ("month", "Europe/Berlin", "2026-03-29T12:00", "2026-02-28T23:00", "2026-03-31T22:00"),
        # And back on 25 October 2026: a day of 25 h, a month of 745 h.
        ("day", "Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("month", "Europe/Berlin", "2026-10-31T22:59", "2026-09-30T22:00", "2026-10-31T23:00"),
        ("month", "Europe/Berlin", "2026-10-31T23:00", "2026-10-31T23:00", "2026-11-30T23:00"),
        ("day", "America/New_York", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("month", "Asia/Kolkata", "2026-11-30T18:29", "2026-10-31T18:30", "2026-11-30T18:30"),
        # Cairo has no midnight on 24 April 2026, and 23 to 24 o'clock twice on 29 October.
        ("day", "Africa/Cairo", "2026-04-24T10:00", "2026-04-23T22:00", "2026-04-24T21:00"),
        ("day", "Africa/Cairo", "2026-10-29T21:30", "2026-10-28T21:00", "2026-10-29T22:00"),
        # Havana has two midnights on 1 November 2026; the first one counts.
        ("day", "America/Havana", "2026-11-01T05:30", "2026-11-01T04:00", "2026-11-02T05:00"),
        # Samoa had no 30 December 2011.
        ("day", "Pacific/Apia", "2011-12-30T09:00", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("day", "Pacific/Apia", "2011-12-30T11:00", "2011-12-30T10:00", "2011-12-31T10:00"),
    ],
)
def test_a_period_begins_and_ends_where_people_there_say(
    period: Period, zone: str, at: str, start: str, end: str
) -> None:
    calendar = Calendar(period=period, timezone=zone)
    moment, *expected = (
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, start, end)
    )
    assert [calendar.start(moment), calendar.end(moment)] == expected


@settings(max_examples=300, deadline=None)
@given(
    at=st.datetimes(datetime(2010, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    period=st.sampled_from(("day", "week", "month")),
    zone=st.sampled_from(ZONES),
)
def test_every_moment_is_in_one_period_that_the_next_one_follows(
    at: datetime, period: Period, zone: str
) -> None:
    calendar = Calendar(period=period, timezone=zone)
    start, end = calendar.start(at), calendar.end(at)
    assert start <= at < end
    assert end - start <= calendar.longest
    last = end - timedelta(microseconds=1)
    assert (calendar.start(start), calendar.start(last)) == (start, start)
    assert (calendar.start(end), calendar.end(last)) == (end, end)


@pytest.mark.parametrize("zone", ["Europe/Berlim", "", "../etc/passwd", "/etc/localtime", "GMT+99"])
def test_a_zone_that_is_none_is_refused_with_a_remedy(zone: str) -> None:
    with pytest.raises(ValidationError, match="write an IANA name"):
        Calendar(period="day", timezone=zone)
