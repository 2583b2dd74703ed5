"""The state machine of an alert, one planned time after another."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.alerting.reading import Unseen
from shared.alerting.record import RuleRecord, SeriesAlert, Transition
from shared.alerting.seen import ENDED
from shared.alerting.state import FORGOTTEN, step
from tests.stepping import (
    ERROR,
    FAST,
    SILENCE,
    START,
    WHOLE,
    Said,
    reading,
    rule,
    run,
    states,
    timeline,
)


def test_it_fires_once_after_the_hold_and_resolves_once() -> None:
    assert timeline(rule(), [5, 12, *[15] * 9, 9, 5, 5]) == [
        (1, "pending"),
        (6, "firing"),
        (11, "resolved"),
    ]


def test_a_breach_shorter_than_the_hold_is_cancelled() -> None:
    assert timeline(rule(), [5, 12, 12, 12, 12, 6, 5]) == [(1, "pending"), (5, "cancelled")]


def test_a_false_evaluation_restarts_the_hold() -> None:
    assert timeline(rule(), [12, 12, 12, 5, *[12] * 6]) == [
        (0, "pending"),
        (3, "cancelled"),
        (4, "pending"),
        (9, "firing"),
    ]


def test_without_a_hold_it_fires_at_once() -> None:
    assert timeline(rule(hold="PT0S"), [5, 12, 5]) == [(1, "firing"), (2, "resolved")]


def test_exactly_at_the_threshold_nothing_happens() -> None:
    assert timeline(rule(condition="< 0.75", hold="PT0S"), [75 / 100] * 5) == []


def test_an_error_never_resolves() -> None:
    transitions, series = run(rule(), [*[12] * 6, *[ERROR] * 30])
    assert states(transitions) == [(0, "pending"), (5, "firing")]
    assert series[WHOLE].phase == "firing"


def test_an_error_never_fires_but_a_short_one_costs_no_time() -> None:
    assert timeline(rule(), [12, 12, 12, 12, 12, ERROR, 12]) == [(0, "pending"), (6, "firing")]


def test_gaps_do_not_count_towards_the_hold() -> None:
    assert timeline(rule(), [12, 12, *[ERROR] * 5, *[12] * 9])[-1] == (10, "firing")
    assert timeline(rule(), [12, 12, *[None] * 5, *[12] * 9])[-1] == (10, "firing")


def test_an_error_never_resets() -> None:
    assert timeline(rule(), [12, ERROR, 12, ERROR, 12, 12]) == [(0, "pending"), (5, "firing")]


@pytest.mark.parametrize(
    ("no_data", "expected"),
    [
        pytest.param("keep", [(0, "pending"), (5, "firing")], id="keep"),
        pytest.param("ok", [(0, "pending"), (5, "firing"), (6, "resolved")], id="ok"),
        pytest.param("alert", [(0, "pending"), (5, "firing")], id="alert"),
    ],
)
def test_silence_of_a_firing_alert_is_the_rules_choice(
    no_data: str, expected: list[tuple[int, str]]
) -> None:
    assert timeline(rule(no_data=no_data), [*[12] * 6, *[SILENCE] * 9]) == expected


def test_silence_that_is_kept_neither_advances_nor_resets() -> None:
    assert timeline(rule(), [12, 12, *[SILENCE] * 30]) == [(0, "pending")]
    assert timeline(rule(), [12, 12, SILENCE, 12, 12, 12]) == [(0, "pending"), (5, "firing")]


def test_nan_is_silence() -> None:
    assert timeline(rule(), [*[12] * 6, *[float("nan")] * 9])[-1] == (5, "firing")


def test_silence_is_borne_for_no_longer_than_the_rule_says() -> None:
    bounded = rule(no_data_max="PT10M")
    transitions, _ = run(bounded, [*[12] * 6, *[SILENCE] * 20])
    assert states(transitions)[-1] == (16, "resolved")
    assert transitions[-1].reason == "no data"
    assert timeline(bounded, [*[12] * 6, *([SILENCE] * 9 + [12]) * 3])[-1] == (5, "firing")


def test_silence_can_be_the_alert_itself_and_data_ends_it() -> None:
    heartbeat = rule(no_data="alert", hold="PT2M", condition="< 1")
    expected = [(1, "pending"), (3, "firing"), (5, "resolved")]
    assert timeline(heartbeat, [5, *[SILENCE] * 4, 5, 5]) == expected
    assert timeline(heartbeat, [{"a": 5}, *[SILENCE] * 4, {"a": 5}]) == expected
    assert timeline(heartbeat, [{"b": 5}, *[ERROR] * 9]) == []


def test_each_series_has_an_alert_of_its_own() -> None:
    by_minute: list[Said] = [
        {"a": 12, "b": 5},
        {"a": 12, "b": 12},
        {"a": 5, "b": 12},
        {"a": 5, "b": 12},
    ]
    transitions, series = run(rule(hold="PT1M"), by_minute)
    assert [(t.series["at"], t.state) for t in transitions] == [
        ("a", "pending"),
        ("a", "firing"),
        ("b", "pending"),
        ("a", "resolved"),
        ("b", "firing"),
    ]
    assert [alert.labels for alert in series.values()] == [{"at": "b"}]


def test_a_series_that_others_outlive_twice_has_ended() -> None:
    vanishing: list[Said] = [*[{"a": 12, "b": 5}] * 2, *[{"b": 5}] * 12]
    transitions, _ = run(rule(hold="PT1M"), vanishing)
    assert states(transitions)[-1] == (3, "resolved")
    assert transitions[-1].reason == ENDED
    blinking: list[Said] = [{"a": 12, "b": 5}, {"a": 12, "b": 5}, {"b": 5}] * 4
    assert timeline(rule(hold="PT1M"), blinking)[-1] == (1, "firing")
    unread: list[Said] = [*[{"a": 12, "b": 5}] * 2, {"b": 5}, *[ERROR] * 3, {"b": 5}]
    assert timeline(rule(hold="PT1M"), unread)[-1] == (6, "resolved")
    silent: list[Said] = [*[{"a": 12, "b": 5}] * 2, *[SILENCE] * 12]
    assert timeline(rule(hold="PT1M"), silent)[-1] == (1, "firing")


def test_a_rule_may_keep_a_series_that_others_outlive() -> None:
    vanishing: list[Said] = [*[{"a": 12, "b": 5}] * 2, *[{"b": 5}] * 12]
    kept = rule(hold="PT1M", no_data="keep")
    assert timeline(kept, vanishing)[-1] == (1, "firing")
    bounded = rule(hold="PT1M", no_data="keep", no_data_max="PT5M")
    assert timeline(bounded, vanishing)[-1] == (7, "resolved")


def test_a_series_that_stops_speaking_is_an_alert_for_a_day() -> None:
    gone = rule(hold="PT3M", condition="< 1", no_data="alert")
    both, one = reading({"a": 5, "b": 5}), reading({"b": 5})
    record = RuleRecord("Gone/warning")
    made: list[Transition] = []
    for minute in range(24 * 60 + 10):
        at = START + timedelta(minutes=minute)
        answer = both if minute < 3 else one
        assert isinstance(answer, Mapping)
        record = record.having_heard(answer, at)
        stepped = step(gone, record.series, at, {"main": answer}, record.spoke)
        record = replace(record, series=stepped.series)
        made += stepped.transitions
    assert states(made) == [(3, "pending"), (6, "firing"), (24 * 60 + 2, "resolved")]
    assert made[-1].reason == FORGOTTEN


def test_what_is_not_read_changes_nothing() -> None:
    both = rule(**FAST)
    series: Mapping[str, SeriesAlert] = {}
    for minute in range(12):
        main = reading(12) if minute < 2 else Unseen("rows to come")
        at = START + timedelta(minutes=minute)
        series = step(both, series, at, {"main": main, "fast": reading(0)}).series
    assert [alert.phase for alert in series.values()] == ["pending"]
    quick = rule(fast={**FAST["fast"], "hold": "PT0S"})
    fired: Mapping[str, SeriesAlert] = {}
    for second, value in ((0, 25), (15, 25), (30, 0), (45, 0)):
        readings = {"main": Unseen("not its minute"), "fast": reading(value)}
        fired = step(quick, fired, START + timedelta(seconds=second), readings).series
    assert [alert.phase for alert in fired.values()] == ["firing"]
    calm = {"main": reading(5), "fast": reading(0)}
    assert not step(quick, fired, START + timedelta(minutes=1), calm).series


def test_it_keeps_firing_through_short_calms() -> None:
    steady = rule(hold="PT0S", keep_firing="PT3M")
    flapping: list[Said] = [12, 5, 5, 12, 5, 12, 5, 5, 5, 5, 5]
    assert timeline(steady, flapping) == [(0, "firing"), (9, "resolved")]
    assert timeline(steady, [12, 5, ERROR, ERROR, ERROR, ERROR])[-1] == (0, "firing")


def test_hysteresis_holds_a_firing_alert_but_starts_none() -> None:
    sticky = rule(hold="PT1M", resolve="<= 8")
    assert timeline(sticky, [9, 12, 9, 12, 12, 9, 9, 8]) == [
        (1, "pending"),
        (2, "cancelled"),
        (3, "pending"),
        (4, "firing"),
        (7, "resolved"),
    ]


def test_too_few_samples_make_no_breach_but_an_all_clear() -> None:
    ratio = rule(hold="PT1M", min_samples=20)
    assert timeline(ratio, [50, 50, 50], samples=19) == []
    assert timeline(ratio, [50, 50, 0], samples=20)[-1] == (2, "resolved")
    series = run(ratio, [50, 50], samples=20)[1]
    small = {"main": reading(50, 5)}, {"main": reading(0, 5)}
    later = [step(ratio, series, START + timedelta(minutes=2), answer) for answer in small]
    assert [len(stepped.series) for stepped in later] == [1, 0]


def test_infinity_is_true_and_is_kept_as_no_number() -> None:
    assert run(rule(hold="PT0S"), [float("inf")])[1][WHOLE].value is None
