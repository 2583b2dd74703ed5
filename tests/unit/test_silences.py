"""Silences: how they are written, what they match, at which times of the week."""

import json
from datetime import UTC, datetime, timedelta
from time import thread_time
from typing import Any

import pytest

from shared.alerting.grouping import parse_routes
from shared.alerting.muting import Matcher, Quiet, Silence
from shared.alerting.recurrence import Recurrence
from shared.alerting.silences import parse_matcher, parse_silence
from shared.errors import InvalidEvent, Misconfigured, NotFound
from shared.usecases.explaining.silences import Silences
from tests.in_memory import MemorySilences

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FORM: dict[str, Any] = {
    "matchers": ["alertname=HighErrorRate"],
    "ends_at": "2026-11-23T14:00:00+01:00",
    "author": "ada",
}
LABELS = {"alertname": "HighErrorRate", "severity": "critical", "Model": "gpt-4"}
ROUTES = """
[receivers.all]
severities = ["critical", "error", "warning", "info"]
notifier = "log"
"""


def asked(**fields: object) -> bytes:
    return json.dumps(FORM | fields).encode()


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("alertname=HighErrorRate", True),
        ('alertname = "HighErrorRate"', True),
        ("alertname=High", False),
        ("alertname!=HighErrorRate", False),
        ("alertname=~High.*", True),
        ("alertname=~High", False),
        ("alertname=~Low.*|High.*", True),
        ("alertname!~High.*", False),
        ("alertname!~High", True),
        ("Model=gpt-4", True),
        ("team=", True),
        ("team!=", False),
        ("team=~.+", False),
        ('Model=~"gpt-[45]"', True),
    ],
)
def test_a_matcher_tests_the_whole_value_and_an_absent_label_is_empty(
    text: str, matches: bool
) -> None:
    assert parse_matcher(text).matches(LABELS) == matches


@pytest.mark.parametrize(
    "text", ["severity=warning", "a!=b=c", "alertname=~High.*", "x!~y|z", "z="]
)
def test_a_matcher_is_shown_as_it_is_written(text: str) -> None:
    assert str(parse_matcher(text)) == text
    assert parse_matcher(str(parse_matcher(text))) == parse_matcher(text)


def test_alertmanagers_own_body_is_taken() -> None:
    body = {
        "matchers": [
            {"name": "severity", "value": "w.*", "isRegex": True, "isEqual": False},
            {"name": "alertname", "value": "HighErrorRate"},
        ],
        "startsAt": "2026-11-23T12:30:00Z",
        "endsAt": "2026-11-23T13:00:00Z",
        "createdBy": "ada",
        "comment": "moving",
    }
    silence = parse_silence(json.dumps(body).encode(), NOON)
    assert [str(matcher) for matcher in silence.matchers] == [
        "severity!~w.*",
        "alertname=HighErrorRate",
    ]
    assert (silence.author, silence.comment) == ("ada", "moving")
    assert (silence.starts_at - NOON, silence.ends_at - NOON) == (
        timedelta(minutes=30),
        timedelta(hours=1),
    )


def test_what_alertmanager_says_of_a_silence_is_read_over() -> None:
    known = {"id": "7d8e", "status": {"state": "active"}, "updatedAt": "2026-11-23T12:00:00Z"}
    silence = parse_silence(asked(**known, annotations={"ticket": "OPS-1"}), NOON)
    assert silence.id != "7d8e"
    assert silence.state(NOON) == "active"


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*a){20}b", "(a*)*b"])
def test_a_hostile_pattern_takes_linear_time(pattern: str) -> None:
    matcher = parse_matcher(f"Model=~{pattern}")
    began_s = thread_time()
    assert not matcher.matches({"Model": "a" * 10_000})
    assert thread_time() - began_s < 1


def test_a_pattern_of_an_earlier_edition_mutes_nothing_and_says_so() -> None:
    stored = Silence("s1", (Matcher("Model", "(?=gpt).*", True),), NOON, NOON + timedelta(hours=1))
    assert not stored.mutes(LABELS, NOON)
    store = MemorySilences()
    store.add(stored)
    (shown,) = Silences(store, list).listed(NOON)["silences"]  # type: ignore[misc]
    assert "invalid perl operator" in shown["problem"]


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+01:00"])
def test_a_moment_beyond_the_calendar_is_refused(field: str, moment: str) -> None:
    with pytest.raises(InvalidEvent, match=field):
        parse_silence(asked(**{field: moment}), NOON)


def test_a_silence_starts_when_it_is_asked_for_and_its_end_is_not_in_it() -> None:
    silence = parse_silence(asked(), NOON)
    moments = [NOON - timedelta(seconds=1), NOON, NOON + timedelta(minutes=59, seconds=59)]
    assert [silence.mutes(LABELS, at) for at in moments] == [False, True, True]
    assert not silence.mutes(LABELS, NOON + timedelta(hours=1))
    assert not silence.mutes(LABELS | {"alertname": "Other"}, NOON)
    both = parse_silence(asked(matchers=["alertname=HighErrorRate", "severity=info"]), NOON)
    assert not both.mutes(LABELS, NOON)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"matchers": []}, "matchers: "),
        ({"matchers": ["nonsense"]}, "'nonsense' is no matcher; write name=value"),
        ({"matchers": [7]}, "7 is no matcher"),
        ({"matchers": [{"name": "x"}]}, "value"),
        ({"matchers": ["a=~("]}, "'(' is no regular expression of RE2 (missing ): ("),
        ({"matchers": ["a=~(?=b)"]}, "invalid perl operator: (?="),
        ({"matchers": [r"a=~(b)\1"]}, "invalid escape sequence"),
        ({"matchers": ["a=~b{1,2000}"]}, "invalid repetition size"),
        ({"matchers": ["alertname=~.*"]}, "no label has to be there; name what is meant"),
        ({"matchers": ["a=" + "x" * 501]}, "at most 500 characters"),
        ({"ends_at": "2026-11-23T12:00:00Z"}, "it is over before it begins"),
        ({"starts_at": "2026-11-24T12:00:00Z"}, "it is over before it begins"),
        ({"ends_at": "2026-11-23T14:00:00"}, "ends_at: "),
        ({"author": ""}, "author: "),
        ({"until": "x"}, "until: "),
        ({"recurrence": {"from": "22:00", "to": "25:00"}}, "recurrence.to: "),
        ({"recurrence": {"from": "22:00", "to": "2:00Z"}}, "recurrence.to: "),
        ({"recurrence": {"from": "22:00+01:00", "to": "23:00"}}, "has a zone"),
        ({"recurrence": {"from": "22:00", "to": "23:00", "zone": "Mars"}}, "no time zone"),
        ({"recurrence": {"from": "22:00", "to": "23:00", "days": []}}, "recurrence.days: "),
        ({"recurrence": {"from": "22:00", "to": "23:00", "days": ["Montag"]}}, "'mon'"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(fields: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidEvent) as raised:
        parse_silence(asked(**fields), NOON)
    assert says in str(raised.value)
    assert str(raised.value).endswith(".")
    assert "Value error" not in str(raised.value)
    assert str(raised.value).count("matchers") < 2, "a wrong matcher is one sentence"


def test_a_byte_order_mark_is_read_over() -> None:
    assert parse_silence(b"\xef\xbb\xbf" + asked(), NOON).author == "ada"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_a_body_that_is_no_silence_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidEvent, match=r"body: .*docs/notifications\.md"):
        parse_silence(body, NOON)


def covered(when: Recurrence, *moments: str) -> list[bool]:
    return [when.covers(datetime.fromisoformat(moment)) for moment in moments]


def test_a_daily_time_has_its_start_and_not_its_end() -> None:
    daily = Recurrence.model_validate({"from": "09:00", "to": "17:30"})
    days = (
        "2026-11-23T08:59:59Z",
        "2026-11-23T09:00Z",
        "2026-11-29T17:29:59Z",
        "2026-11-29T17:30Z",
    )
    assert covered(daily, *days) == [False, True, True, False]


def test_a_time_past_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    saturday = Recurrence.model_validate({"days": ["sat"], "from": "22:00", "to": "02:00"})
    nights = ("2026-11-27T23:00Z", "2026-11-28T01:00Z", "2026-11-28T22:00Z", "2026-11-29T01:59Z")
    assert covered(saturday, *nights, "2026-11-29T02:00Z") == [False, False, True, True, False]


def test_a_whole_day_begins_and_ends_at_the_same_time_of_day() -> None:
    sunday = Recurrence.model_validate({"days": ["sun"], "from": "00:00", "to": "00:00"})
    ends = ("2026-11-28T23:59Z", "2026-11-29T00:00Z", "2026-11-29T23:59Z", "2026-11-30T00:00Z")
    assert covered(sunday, *ends) == [False, True, True, False]


def test_a_time_goes_by_the_clocks_of_its_zone() -> None:
    berlin = Recurrence.model_validate({"from": "08:00", "to": "09:00", "zone": "Europe/Berlin"})
    summer, winter = "2026-07-01T06:30Z", "2026-12-01T07:30Z"
    assert covered(berlin, summer, winter) == [True, True]
    assert covered(berlin, "2026-07-01T07:30Z", "2026-12-01T06:30Z") == [False, False]


def test_a_night_in_which_the_clocks_go_back_is_an_hour_longer() -> None:
    night = Recurrence.model_validate({"from": "01:00", "to": "04:00", "zone": "Europe/Berlin"})
    hours = [f"2026-10-{day}T{hour}:30Z" for day, hour in ((24, 22), (24, 23), (25, "00"))]
    later = ["2026-10-25T01:30Z", "2026-10-25T02:30Z", "2026-10-25T03:30Z"]
    assert covered(night, *hours, *later) == [False, True, True, True, True, False]


def test_a_recurring_silence_mutes_at_its_times_only() -> None:
    recurrence = {"days": ["mon"], "from": "12:00", "to": "12:30"}
    silence = parse_silence(asked(ends_at="2027-01-01T00:00:00Z", recurrence=recurrence), NOON)
    week = timedelta(days=7)
    at = [
        NOON,
        NOON + timedelta(minutes=30),
        NOON + timedelta(days=1),
        NOON + week,
        NOON + 9 * week,
    ]
    assert [silence.state(moment) for moment in at] == [
        "active",
        "pending",
        "pending",
        "active",
        "ended",
    ]


def test_maintenance_comes_with_the_routes_and_is_named_where_it_mutes() -> None:
    text = (
        ROUTES + '[[maintenance]]\nname = "backup"\nmatchers = ["alertname=~High.*"]\n'
        'recurrence = { days = ["mon"], from = "11:00", to = "13:00", zone = "UTC" }\n'
    )
    windows = [item.silence() for item in parse_routes(text, "routes.toml").maintenance]
    quiet = Quiet(NOON, (), windows, ())
    assert quiet.mutes(LABELS) == "maintenance backup"
    assert Quiet(NOON + timedelta(hours=1), (), windows, ()).mutes(LABELS) == ""
    (shown,) = Silences(MemorySilences(), lambda: windows).listed(NOON)["silences"]  # type: ignore[misc]
    assert shown["starts_at"] is None


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ('name = "x"\nmatchers = ["a=b"]', "it never ends; give it `ends_at` or `recurrence`"),
        ('matchers = ["a=b"]\nends_at = 2026-12-01T00:00:00Z', "[[maintenance]] 1: name: "),
        ('name = "x"\nends_at = 2026-12-01T00:00:00Z', "[[maintenance]] 1: matchers: "),
    ],
)
def test_a_wrong_maintenance_window_is_refused_with_the_routes(window: str, says: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        parse_routes(f"{ROUTES}[[maintenance]]\n{window}\n", "routes.toml")
    assert says in str(raised.value)


def test_a_silence_is_added_listed_and_ended() -> None:
    silences = Silences(MemorySilences(), list)
    added = silences.add(asked(comment="deploy"), NOON)
    assert silences.listed(NOON) == {"silences": [added]}
    assert added == {
        "id": added["id"],
        "kind": "silence",
        "state": "active",
        "problem": "",
        "matchers": ["alertname=HighErrorRate"],
        "starts_at": NOON.isoformat(),
        "ends_at": (NOON + timedelta(hours=1)).isoformat(),
        "recurrence": None,
        "author": "ada",
        "comment": "deploy",
    }
    soon = NOON + timedelta(minutes=5)
    ended = silences.end(str(added["id"]), soon)
    assert (ended["state"], ended["ends_at"]) == ("ended", soon.isoformat())
    with pytest.raises(NotFound, match="GET /api/silences lists them"):
        silences.end("nobody", soon)


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+01:00"])
def test_a_time_outside_utc_is_refused(field: str, time: str) -> None:
    with pytest.raises(InvalidEvent, match="not within the years 1 to 9999"):
        parse_silence(asked(**{field: time}), NOON)


def test_a_silence_may_last_for_ever() -> None:
    silence = parse_silence(asked(ends_at="9999-12-31T23:59:59Z"), NOON)
    assert silence.state(NOON) == "active"
