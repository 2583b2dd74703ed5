"""The two conditions of a rule, each with its own hold."""

from datetime import timedelta

from shared.alerting.state import step
from tests.stepping import ERROR, FAST, START, WHOLE, Said, reading, rule, run, states, timeline


def test_the_fast_condition_fires_by_its_own_hold() -> None:
    transitions, series = run(rule(**FAST), [12] * 4, [5, 25, 25, 25])
    assert states(transitions) == [(0, "pending"), (2, "firing")]
    assert (transitions[-1].value, transitions[-1].reason) == (25, "25 is > 20")
    assert (series[WHOLE].by, series[WHOLE].value) == ("fast", 25)


def test_it_resolves_when_both_conditions_are_false() -> None:
    assert timeline(rule(**FAST), [5, 12, 12, 12, 5], fast=[25, 25, 5, 5, 5]) == [
        (0, "pending"),
        (1, "firing"),
        (4, "resolved"),
    ]


def test_an_error_of_one_condition_does_not_resolve() -> None:
    fast_broken: list[Said] = [25, 25, *[ERROR] * 5, 5]
    assert timeline(rule(**FAST), [5] * 8, fast=fast_broken)[1:] == [(1, "firing"), (7, "resolved")]
    main_broken: list[Said] = [5, 5, *[ERROR] * 5, 5]
    fast: list[Said] = [25, 25, 5, 5, 5, 5, 5, 5]
    assert timeline(rule(**FAST), main_broken, fast=fast)[1:] == [(1, "firing"), (7, "resolved")]


def test_a_removed_condition_keeps_nothing_firing() -> None:
    series = run(rule(**FAST), [5, 5], [25, 25])[1]
    assert series[WHOLE].phase == "firing"
    stepped = step(rule(), series, START + timedelta(minutes=2), {"main": reading(5)})
    assert stepped.transitions[0].state == "resolved"
