"""Rules whose answers are odd: a page goes out, or the rule says what is wrong."""

import math

import pytest

from shared.alerting.rule import Rule
from tests.evaluating import World, only, rule


def spending() -> Rule:
    return rule(hold="PT0S", summary="{value:.1f} of {Team}")


def asked(*rows: tuple[object, ...], label: str = "Team") -> World:
    """Return a world in which the rule was answered so, once."""
    world = World(spending())
    world.log.columns = ("value", label)
    world.log.says = {"Errors": rows}
    return world


@pytest.mark.parametrize(
    ("team", "shown"),
    [
        ({"a": [1, 2]}, "{'a': [1, 2]}"),
        ([1], "[1]"),
        (None, ""),
        (True, "True"),
        (3.5, "3.5"),
        ("a\x00b\n\x1b[31m", "a\x00b\n\x1b[31m"),
        ("half \ud83d", "half ?"),
    ],
)
def test_a_label_of_any_type_is_text(team: object, shown: str) -> None:
    (page,) = only(asked((50.0, team)).tick()).pages
    assert page.summary == f"[CRITICAL] 50.0 of {shown}"


def test_a_label_that_is_too_long_is_cut() -> None:
    world = asked((50.0, "x" * 100_000))
    assert len(only(world.tick()).pages) == 1
    (alert,) = world.record().firing.values()
    assert len(alert.labels["Team"]) < 1_100


def test_a_value_that_is_none_is_no_alert() -> None:
    world = asked((None, "x"), (math.nan, "y"), (-math.inf, "z"), (20.0, "w"))
    (page,) = only(world.tick()).pages
    assert page.summary == "[CRITICAL] 20.0 of w"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(50.0, "x"), (60.0, "x")], "Two rows have the same labels"),
        ([("50", "x")], "is '50', no number"),
    ],
)
def test_an_answer_that_is_wrong_is_named(rows: list[tuple[object, ...]], said: str) -> None:
    report = only(asked(*rows).tick())
    assert (report.outcome, report.pages) == ("query failed", ())
    assert said in report.error


def test_a_summary_that_does_not_fit_its_labels_is_sent() -> None:
    (page,) = only(asked((50.0, "x"), label="Group").tick()).pages
    assert page.summary == "[CRITICAL] {value:.1f} of {Team} (a placeholder is unknown)"
