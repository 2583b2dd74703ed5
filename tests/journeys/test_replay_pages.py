"""Pages in replay: silences, inhibition, groups, and PagerDuty when it is down."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.alerting.silences import Maintenance
from tests.journeys.scenario import (
    ERRORS,
    FAILURES,
    POOL,
    QUEUE,
    Found,
    at,
    errors,
    graver,
    pool,
    queue,
    routes,
    run,
)

BUSY = 150
ALERT = [{"name": "alertname", "value": "HighTaskQueueBacklog"}]


def backlog(minutes: float = 32, **plan: Any) -> Found:
    """Replay a queue over its threshold from tick 5 to tick 29: firing from 10, told at 11."""
    values = [BUSY if 5 <= minute < 30 else 40 for minute in range(int(minutes) + 1)]
    return run(queue(values), QUEUE, minutes=minutes, **plan)


def silence(start: float, end: float, matchers: Sequence[object] = ALERT, **more: float) -> Any:
    """Return a plan's silences: one, in minutes."""
    times = {name: 60 * minute for name, minute in {"from": start, "to": end, **more}.items()}
    return [{**times, "matchers": list(matchers)}]


@pytest.mark.parametrize(
    ("start", "end", "calls"),
    [
        pytest.param(0, 20, [(20, "trigger"), (30, "resolve")], id="before-it-fires"),
        pytest.param(0, 50, [], id="over-all-of-it"),
        pytest.param(15, 20, [(11, "trigger"), (30, "resolve")], id="while-it-fires"),
        pytest.param(15, 59, [(11, "trigger"), (30, "resolve")], id="over-the-end"),
        pytest.param(11, 12, [(11, "trigger"), (30, "resolve")], id="after-the-groups-30-s"),
        pytest.param(10, 11, [(11, "trigger"), (30, "resolve")], id="ends-before-the-next-tick"),
    ],
)
def test_a_silence_mutes_what_opens_an_incident_and_never_what_closes_it(
    start: float, end: float, calls: list[tuple[float, str]]
) -> None:
    found = backlog(silences=silence(start, end))
    assert [call[:2] for call in found.calls()] == calls
    assert found.states() == [(5, "pending"), (10, "firing"), (30, "resolved")]


def test_a_silence_mutes_nothing_before_it_was_created() -> None:
    found = backlog(silences=silence(0, 50, created=20))
    assert found.calls() == [(11, "trigger", 202), (30, "resolve", 202)]


def test_a_maintenance_window_of_the_routes_mutes_as_a_silence_does() -> None:
    window = Maintenance.model_validate(
        {
            "name": "backup",
            "matchers": ["alertname=HighTaskQueueBacklog"],
            "recurrence": {"from": "00:00", "to": "00:20", "zone": "UTC"},
        }
    )
    by = routes().model_copy(update={"maintenance": (window,)})
    assert backlog(by=by).calls() == [(20, "trigger", 202), (30, "resolve", 202)]


def matcher(name: str, value: str, regex: bool = False, equal: bool = True) -> dict[str, object]:
    return {"name": name, "value": value, "isRegex": regex, "isEqual": equal}


@pytest.mark.parametrize(
    ("matchers", "mutes"),
    [
        pytest.param([matcher("alertname", "High.*", True)], True, id="regex"),
        pytest.param([matcher("alertname", "High", True)], False, id="regex-is-anchored"),
        pytest.param([matcher("alertname", "A|High.*|B", True)], True, id="alternatives"),
        pytest.param([matcher("alertname", "High.*")], False, id="no-regex-unless-said"),
        pytest.param([matcher("severity", "critical", equal=False)], True, id="not-equal"),
        pytest.param([matcher("severity", "war.*", True, False)], False, id="not-regex"),
        pytest.param([matcher("team", "")], True, id="a-label-it-lacks-is-empty"),
        pytest.param([*ALERT, matcher("severity", "critical")], False, id="all-must-match"),
    ],
)
def test_matchers_match_as_alertmanagers_do(matchers: list[object], mutes: bool) -> None:
    found = backlog(silences=silence(0, 50, matchers))
    assert bool(found.calls()) != mutes


def test_a_silence_of_one_series_leaves_the_others_of_its_incident() -> None:
    events = [*pool([1] * 20, "muted"), *pool([5] * 8 + [1] * 8 + [5] * 4, "other")]
    only = silence(0, 59, [matcher("Source", "muted")])
    found = run(events, POOL, minutes=19, silences=only)
    # At once: the group has waited since the muted one fired.
    assert found.calls() == [(10, "trigger", 202)]
    assert found.output["pagerduty"][0]["firing"] == 1


def test_a_warning_is_reported_once_the_graver_alert_of_its_name_has_ended() -> None:
    values = [40] * 5 + [900] * 15 + [BUSY] * 10 + [40] * 5
    found = run(queue(values), QUEUE, graver(QUEUE, over=500), minutes=34)
    assert found.calls("HighTaskQueueBacklog/critical") == [
        (10, "trigger", 202),
        (20, "resolve", 202),
    ]
    assert found.calls(QUEUE) == [(20, "trigger", 202), (30, "resolve", 202)]


def test_a_warning_that_is_open_stays_so_while_the_graver_alert_fires() -> None:
    values = [40] * 5 + [BUSY] * 10 + [900] * 15 + [40] * 5
    found = run(queue(values), QUEUE, graver(QUEUE, over=500), minutes=34)
    assert found.calls(QUEUE) == [(11, "trigger", 202), (30, "resolve", 202)]
    assert [call[1] for call in found.calls()] == ["trigger", "trigger", "resolve", "resolve"]


def test_groups_that_fire_at_once_have_an_incident_and_a_receiver_each() -> None:
    failed = [at(60 * m + 5, "llm.call", status="error", count=50, usage=None) for m in range(25)]
    events = [*queue([BUSY] * 25), *pool([1] * 25), *errors([2000] * 25), *failed]
    found = run(events, QUEUE, POOL, ERRORS, FAILURES, minutes=20)
    calls = {(call["alert"], call["routing"]) for call in found.output["pagerduty"]}
    assert calls == {
        ("HighTaskQueueBacklog", "warning"),
        ("LowDatabaseConnections", "warning"),
        ("HighErrorRate", "critical"),
        ("LLMAPIFailureRate", "critical"),
    }
    assert len({call["dedup_key"] for call in found.output["pagerduty"]}) == 4
    assert [call["action"] for call in found.output["pagerduty"]] == ["trigger"] * 4


def test_members_that_join_and_leave_are_reported_on_the_same_incident_after_five_minutes() -> None:
    events = [*pool([1] * 30 + [5] * 5, "a"), *pool([5] * 4 + [1] * 12 + [5] * 19, "b")]
    found = run(events, POOL, minutes=34)
    calls = [(call["t"] / 60, call["reason"], call["firing"]) for call in found.output["pagerduty"]]
    assert calls == [
        (3, "first", 1),
        (7, "new_alerts_added", 2),
        (16, "some_resolved", 1),
        (30, "all_resolved", 0),
    ]
    assert len({call["dedup_key"] for call in found.output["pagerduty"]}) == 1


def test_an_incident_that_lasts_is_sent_again_after_four_hours() -> None:
    found = run(queue([BUSY] * 260), QUEUE, minutes=255)
    assert found.calls() == [(6, "trigger", 202), (245, "trigger", 202)]
    assert found.reasons() == ["first", "repeat_interval_elapsed"]


def down(start: float, end: float, status: int = 503) -> Any:
    """Return a plan's faults of PagerDuty: one, in minutes."""
    return [{"from": 60 * start, "to": 60 * end, "status": status}]


@pytest.mark.parametrize("status", [0, 429, 503])
def test_a_trigger_arrives_once_within_a_minute_of_pagerdutys_recovery(status: int) -> None:
    found = backlog(pagerduty_faults=down(5, 20.5, status))
    assert [call for call in found.calls() if call[2] == 202] == [
        (21, "trigger", 202),
        (30, "resolve", 202),
    ]
    assert {call[2] for call in found.calls()} == {status, 202}


@pytest.mark.parametrize("status", [400, 503])
def test_a_resolve_arrives_once_within_a_minute_of_pagerdutys_recovery(status: int) -> None:
    found = backlog(53, pagerduty_faults=down(25, 50.5, status))
    assert [call for call in found.calls() if call[2] == 202] == [
        (11, "trigger", 202),
        (51, "resolve", 202),
    ]


def test_a_trigger_that_is_refused_is_sent_barer_and_then_every_minute() -> None:
    found = backlog(pagerduty_faults=down(10.5, 13, 400))
    refused = [(minute, "trigger", 400) for minute in (11, 11, 11, 11, 12, 12, 12, 12)]
    assert found.calls() == [*refused, (13, "trigger", 202), (30, "resolve", 202)]


@pytest.mark.parametrize("status", [400, 429])
def test_what_ended_while_pages_were_refused_is_not_sent(status: int) -> None:
    found = backlog(pagerduty_faults=down(10.5, 35, status))
    assert {call[1:] for call in found.calls()} == {("trigger", status)}


def test_ticks_of_fifteen_seconds_keep_the_waits_of_pages_and_evaluate_by_the_minute() -> None:
    found = backlog(tick_s=15, pagerduty_faults=down(10, 10.6))
    assert found.states() == [(5, "pending"), (10, "firing"), (30, "resolved")]
    assert found.calls() == [
        (10.5, "trigger", 503),
        (10.75, "trigger", 202),
        (30, "resolve", 202),
    ]


def test_a_resolve_that_was_taken_is_not_sent_again() -> None:
    assert [call[1] for call in backlog(50).calls()] == ["trigger", "resolve"]


def test_a_resolve_follows_a_trigger_that_was_late() -> None:
    found = backlog(43, pagerduty_faults=down(5, 40.5))
    (opened, *first), (closed, *second) = [call for call in found.calls() if call[2] == 202]
    assert (opened, *first) == (41, "trigger", 202)
    assert (second, closed - opened <= 1) == (["resolve", 202], True)
