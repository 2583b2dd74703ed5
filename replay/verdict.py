"""Runs the tests of a casebook and says what was expected and what came."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import ndiff
from itertools import zip_longest

from replay.casebook import START, STATES, Case, Casebook, Expected, ExpectedPage, clock
from replay.pager import Attempt
from replay.plan import MINUTE
from replay.rules import through_pagerduty
from replay.run import Change, Happened, replay
from replay.series import record
from replay.world import Config
from shared.alerting.grouping import Routes
from shared.alerting.rule import Rule

TAKEN = 202
AFTER = {"pending": "pending", "firing": "firing"}
"""The state that a step leads to; all others end the alert."""
Keys = Mapping[str, str]
"""What a test may call a rule → the rule's key; "" is the first one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a test.

    faults: a line or more for each thing that is not as expected; none where all is well.
    timeline: each step of an alert and each page that was taken, in the order of time.
    """

    test: str
    faults: tuple[str, ...]
    timeline: tuple[str, ...]


def judge(book: Casebook, rules: Sequence[Rule], routes: Routes, prices: str) -> Iterator[Verdict]:
    """Run the tests, one after the other. prices: where the file has none of its own.

    Raises:
        Misconfigured: a rule is not there, or the prices are wrong.
    """
    chosen = book.chosen(rules)
    config = Config(chosen, through_pagerduty(routes), prices)
    if book.prices is not None:
        config = replace(config, prices=book.prices)
    names = ("", *book.rules)
    keys = {name: rule.key for name, rule in zip(names, (chosen[0], *chosen), strict=True)}
    return (_judge(case, config, keys) for case in book.test)


def _judge(case: Case, config: Config, keys: Keys) -> Verdict:
    happened = replay(case.planned(), config, record(case.events, START), lambda _: None)
    taken = [attempt for attempt in happened.attempts if attempt.status == TAKEN]
    states = (_state_fault(one, keys[one.rule], happened.changes) for one in case.states)
    faults = (
        *_broken(happened),
        *(fault for fault in states if fault),
        *_page_faults(case.pages, taken, keys),
    )
    return Verdict(case.name, faults, tuple(_timeline(happened.changes, taken)))


def _broken(happened: Happened) -> Iterator[str]:
    """Say what keeps the test from being one."""
    for one in happened.refused:
        yield f"event {one.number} was refused: {one.why}"
    for rule, why in happened.failed.items():
        yield f"{rule} could not be evaluated: {why}"


def _state_fault(expected: Expected, rule: str, changes: Sequence[Change]) -> str:
    """Compare the state at that moment; "" where it is as expected."""
    states = _states(rule, START + expected.at, changes)
    whose = "" if expected.labels is None else f" {_labels(expected.labels)}"
    if expected.labels is None:
        got = max(states.values(), key=STATES.index, default="inactive")
    else:
        got = states.get(_labels(expected.labels), "inactive")
    if got == expected.state:
        return ""
    return f"{clock(expected.at)} {rule}{whose}: expected {expected.state}, got {got}"


def _states(rule: str, at: datetime, changes: Sequence[Change]) -> Mapping[str, str]:
    """Return the state of each series of the rule then, by its labels."""
    return {
        _labels(change.transition.series): AFTER.get(change.transition.state, "inactive")
        for change in changes
        if change.rule == rule and change.transition.at <= at
    }


def _page_faults(
    expected: Sequence[ExpectedPage], taken: Sequence[Attempt], keys: Keys
) -> Iterator[str]:
    """Compare the pages, as lines and then by what they say."""
    wanted = [f"{clock(one.at)} {one.action} {keys[one.rule]}" for one in expected]
    got = [_page(attempt, one) for attempt, one in zip_longest(taken, expected[: len(taken)])]
    if wanted != got:
        yield "pages: - is expected and did not come, + came and is not expected"
        yield from (f"  {line}" for line in ndiff(wanted, got) if not line.startswith("?"))
        return
    for one, line, attempt in zip(expected, wanted, taken, strict=True):
        if one.summary not in attempt.page.summary:
            yield f"{line}: expected a summary with {one.summary!r}, got {attempt.page.summary!r}"


def _timeline(changes: Sequence[Change], taken: Sequence[Attempt]) -> Iterator[str]:
    """Yield what happened, in the order of time, steps of alerts before pages."""
    steps = [
        (one.transition.at, f"{_when(one.transition.at)} {_step(one)}: {one.transition.reason}")
        for one in changes
    ]
    pages = [(one.at, f"{_page(one)}: {one.page.summary}") for one in taken]
    return (line for _, line in sorted([*steps, *pages], key=lambda entry: entry[0]))


def _step(change: Change) -> str:
    labels = f" {_labels(change.transition.series)}" if change.transition.series else ""
    return f"{change.rule}{labels} {change.transition.state}"


def _page(attempt: Attempt, expected: ExpectedPage | None = None) -> str:
    """Write a page as a line; one of the minute that ends with the expected time is on time."""
    passed = attempt.at - START
    on_time = expected and timedelta(0) <= expected.at - passed < MINUTE
    return f"{clock(expected.at if expected and on_time else passed)} {_what(attempt)}"


def _what(attempt: Attempt) -> str:
    return f"{attempt.page.action} {attempt.page.rule}"


def _when(at: datetime) -> str:
    return clock(at - START)


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in sorted(labels.items())) + "}"
