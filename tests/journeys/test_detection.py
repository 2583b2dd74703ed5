"""Hard failures are told in time, short ones are not told at all: the nine signals, replayed."""

import io
from dataclasses import replace
from statistics import median

import pytest

from ops.console.terminal import Terminal
from ops.detection import NOTES, PAGE, PHASES_S, SEEN, TEXT, cell, measure
from replay.detection import Lab, Trial
from replay.failures import FAILURES, Failure
from tests.journeys.scenario import RULES, routes

LAB = Lab(tuple(RULES.values()), routes())
HARDER = {"HighErrorRate": 10, "HighHourlyCosts": 10, "CostPerMissionTooHigh": 10}
"""How many times as hard it can get; what is a share cannot be much harder."""


def stated(rule: str, seen: str) -> str:
    """Return what docs/detection.md says of the rule."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = next(line for line in lines if line.startswith(f"| {rule} ")).strip("| ").split(" | ")
    return cells[3 + list(SEEN).index(seen)]


def test_the_page_around_the_table_is_as_the_code_has_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(TEXT)
    assert text.endswith(NOTES)


@pytest.mark.parametrize("seen", ["600 s", "30 to 240 s", "never: 503", "0 s, cold start"])
def test_a_hard_failure_pages_within_90_s(seen: str) -> None:
    found = measure(Terminal(io.StringIO(), io.StringIO()), {seen: SEEN[seen]})
    for failure in FAILURES:
        times = found[failure.rule][seen]
        assert cell(times) == stated(failure.rule, seen)
        took_s = [one for one in times if one is not None]
        assert len(took_s) == len(PHASES_S), failure.rule
        assert median(took_s) <= 90, failure.rule
        assert max(took_s) <= 120, failure.rule


@pytest.mark.parametrize("status", [429, 0])
def test_an_ingestion_that_takes_nothing_delays_no_page(status: int) -> None:
    took_s = LAB.pages_after_s(FAILURES, Trial(PHASES_S[-1], status=status))
    assert took_s.keys() == {failure.rule for failure in FAILURES}
    assert max(took_s.values()) <= 90


def harder(failure: Failure) -> Failure:
    """Return the failure, many times as hard where it can be."""
    times = HARDER.get(failure.rule, 1)
    parts = tuple(
        replace(part, failed=part.failed * times) if part.failed > part.well else part
        for part in failure.parts
    )
    return replace(failure, parts=parts)


@pytest.mark.parametrize(("phase_s", "delay_s"), [(1, 0), (16, 30), (31, 0), (55, 0), (55, 30)])
def test_a_breach_shorter_than_a_minute_pages_no_one(phase_s: int, delay_s: int) -> None:
    trial = Trial(phase_s, delay_s, lasts_s=59)
    assert LAB.pages_after_s([harder(one) for one in FAILURES], trial) == {}
