"""Alerts in replay: from pending to resolved, by what docs/rules.md promises."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tests.journeys.scenario import (
    ERRORS,
    FAILURES,
    POOL,
    QUEUE,
    RULES,
    Found,
    at,
    errors,
    pool,
    queue,
    run,
)

CALM, BUSY = 40, 150
"""Under and over the 100 waiting tasks of HighTaskQueueBacklog, whose hold is 5 minutes."""
FIRED_ONCE = [(5, "pending"), (10, "firing"), (20, "resolved")]


def busy(begin: int, end: int, until: int = 40) -> list[float]:
    """Return the queue of each minute: busy from the tick `begin` to before the tick `end`."""
    return [BUSY if begin <= minute < end else CALM for minute in range(until)]


def test_an_alert_is_pending_fires_after_its_hold_and_resolves() -> None:
    found = run(queue(busy(5, 20)), QUEUE, minutes=30)
    assert found.states() == FIRED_ONCE
    assert found.calls() == [(11, "trigger", 202), (20, "resolve", 202)]


@pytest.mark.parametrize(
    ("end", "states"),
    [
        pytest.param(10, [(5, "pending"), (10, "cancelled")], id="a-minute-less-than-the-hold"),
        pytest.param(11, [(5, "pending"), (10, "firing"), (11, "resolved")], id="just-the-hold"),
    ],
)
def test_the_hold_is_met_when_it_has_just_passed(end: int, states: list[tuple[float, str]]) -> None:
    found = run(queue(busy(5, end)), QUEUE, minutes=15)
    assert found.states() == states
    # What fires for a minute is told: the group's 30 s were over before it was.
    fires = len(states) == 3
    assert [call[1] for call in found.calls()] == ["trigger", "resolve"] * fires


@pytest.mark.parametrize(("value", "fires"), [(100, False), (100.5, True)])
def test_a_gauge_at_its_threshold_is_not_over_it(value: float, fires: bool) -> None:
    found = run(queue([value] * 10), QUEUE, minutes=10)
    assert bool(found.states()) == fires


@pytest.mark.parametrize(("more", "fires"), [(0, False), (1, True)])
def test_a_rate_at_its_threshold_is_not_over_it(more: int, fires: bool) -> None:
    steady = errors([600] * 12)  # 3,000 in 5 minutes are 10 a second
    found = run([*steady, *([at(400, "error")] * more)], ERRORS, minutes=10)
    assert bool(found.states()) == fires


@pytest.mark.parametrize(("failed", "fires"), [(10, False), (11, True)])
def test_a_share_at_its_threshold_is_not_over_it(failed: int, fires: bool) -> None:
    calls = [
        at(60 * minute + 5, "llm.call", status=status, count=some, usage=None)
        for minute in range(12)
        for status, some in (("error", failed), ("success", 100 - failed))
    ]
    assert bool(run(calls, FAILURES, minutes=12).states()) == fires


def test_a_window_holds_its_beginning_and_not_its_end() -> None:
    rule = RULES[ERRORS].model_copy(update={"hold": RULES[POOL].keep_firing})
    found = run([at(600, "error", count=4000)], rule, minutes=20)
    assert found.states() == [(11, "firing"), (16, "resolved")]


def test_flapping_faster_than_the_hold_pages_no_one() -> None:
    values = [BUSY if minute % 6 < 4 else CALM for minute in range(36)]
    found = run(queue(values), QUEUE, minutes=35)
    assert [state for _, state in found.states()] == ["pending", "cancelled"] * 6
    assert found.calls() == []


def test_flapping_slower_than_the_hold_opens_and_closes_each_time() -> None:
    values = [BUSY if minute % 12 < 9 else CALM for minute in range(36)]
    found = run(queue(values), QUEUE, minutes=35)
    assert [state for _, state in found.states()] == ["pending", "firing", "resolved"] * 3
    assert [action for _, action, _ in found.calls()] == ["trigger", "resolve"] * 3
    assert set(found.reasons()) == {"first", "all_resolved"}


def test_without_data_an_alert_fires_on_for_an_hour_and_no_longer() -> None:
    found = run(queue(busy(1, 9, until=9)), QUEUE, minutes=80)
    # The sample of tick 8 is stale at tick 13; an hour of silence ends at tick 73.
    assert found.states() == [(1, "pending"), (6, "firing"), (73, "resolved")]
    assert found.calls() == [(7, "trigger", 202), (73, "resolve", 202)]


def test_without_data_an_alert_that_is_pending_waits() -> None:
    # True at ticks 2 to 6, and again from 14 on: of the eight minutes between, one counts.
    found = run(queue([None, None, BUSY, *[None] * 11, *[BUSY] * 8]), QUEUE, minutes=21)
    assert found.states() == [(2, "pending"), (14, "firing")]


def test_data_that_returns_below_the_threshold_resolves_at_once() -> None:
    found = run(queue([*busy(1, 9, until=9), *[None] * 11, CALM]), QUEUE, minutes=22)
    assert found.states()[-1] == (20, "resolved")


@pytest.mark.parametrize(
    ("start", "end", "states"),
    [
        pytest.param(9.5, 10.5, [(5, "pending"), (11, "firing"), (20, "resolved")], id="at-firing"),
        pytest.param(6.5, 7.5, FIRED_ONCE, id="one-evaluation-lost-while-pending"),
        # Good evaluations at 5 and 10: four minutes of the five do not count.
        pytest.param(
            *(5.5, 9.5, [(5, "pending"), (14, "firing"), (20, "resolved")]), id="while-pending"
        ),
        pytest.param(12, 18, FIRED_ONCE, id="while-firing"),
        pytest.param(
            *(19.5, 25.5, [(5, "pending"), (10, "firing"), (26, "resolved")]), id="over-the-end"
        ),
        pytest.param(4.5, 5.5, [(6, "pending"), (11, "firing"), (20, "resolved")], id="at-pending"),
    ],
)
def test_a_query_that_fails_never_resolves_advances_or_resets(
    start: float, end: float, states: list[tuple[float, str]]
) -> None:
    fault = {"alert": "HighTaskQueueBacklog", "from": 60 * start, "to": 60 * end}
    found = run(queue(busy(5, 20)), QUEUE, minutes=30, evaluation_faults=[fault])
    assert found.states() == states
    assert [action for _, action, _ in found.calls()] == ["trigger", "resolve"]
    assert not found.failed


@pytest.mark.parametrize(("alert", "late"), [("HighTaskQueueBacklog", False), (None, True)])
def test_a_fault_of_one_alert_leaves_the_others_alone(alert: str | None, late: bool) -> None:
    faults = [{"alert": alert, "from": 580, "to": 640}]
    events = [*queue(busy(5, 20)), *errors([0] * 4 + [2000] * 20)]
    found = run(events, QUEUE, ERRORS, minutes=15, evaluation_faults=faults)
    assert found.states(QUEUE) == [(5, "pending"), (11, "firing")]
    assert found.states(ERRORS) == [(5, "pending"), (11 if late else 10, "firing")]


def test_events_that_come_late_are_seen_late() -> None:
    found = run(queue(busy(5, 20)), QUEUE, minutes=30, ingest_delay_s=90)
    # The newest heartbeat that is found is two minutes old, and windows end there.
    assert found.states() == [(minute + 2, state) for minute, state in FIRED_ONCE]


def test_a_window_that_ends_in_the_past_sees_what_came_late() -> None:
    prompt = run(queue(busy(5, 20)), QUEUE, minutes=30, offset_s=120)
    late = run(queue(busy(5, 20)), QUEUE, minutes=30, offset_s=120, ingest_delay_s=50)
    assert prompt.output["timeline"] == late.output["timeline"]
    assert prompt.states() == [(minute + 2, state) for minute, state in FIRED_ONCE]


def test_events_that_came_before_the_start_are_history() -> None:
    spent = [at(-60 * minute, "llm.call", cost_usd=10, provider="acme") for minute in range(30)]
    prices = 'trusted_providers = ["acme"]'
    found = run(spent, "HighHourlyCosts/critical", minutes=50, prices=prices)
    # $300 in the 29 minutes before the start; under $100 of them are of the last hour from 52 on.
    assert found.states() == [(0, "pending"), (10, "firing")]
    assert found.output["costs"]["usd"] == 300


def test_an_event_that_comes_twice_counts_once() -> None:
    once = errors([0] * 5 + [400] * 20)  # 6.7 a second; twice would be 13.3
    assert run([*once, *once], ERRORS, minutes=20).states() == []


def test_a_fast_part_pages_within_two_minutes_of_the_first_event() -> None:
    events = errors([0] * 10 + [6000] * 20)
    found = run(events, ERRORS, minutes=20, fast=True)
    assert found.calls() == [(10.25, "trigger", 202)]  # the first came at 9 minutes and 10 s
    assert run(events, ERRORS, minutes=20).calls() == [(15, "trigger", 202)]


def test_a_start_within_a_minute_ticks_at_whole_minutes_and_counts_from_the_start() -> None:
    found = run(queue(busy(5, 20)), QUEUE, minutes=30, start="2026-01-05T00:00:20Z")
    assert found.states() == [(minute - 1 / 3, state) for minute, state in FIRED_ONCE]


def test_missed_ticks_are_made_up() -> None:
    found = run(queue(busy(5, 20)), QUEUE, minutes=30, tick_s=240)
    assert found.states() == FIRED_ONCE
    assert found.calls() == [(12, "trigger", 202), (20, "resolve", 202)]


@dataclass
class Oracle:
    """The promises of docs/rules.md for a gauge, said once more and in another way."""

    hold: int
    sources: dict[str, list[bool]]
    states: dict[str, list[tuple[float, str]]] = field(
        default_factory=dict[str, list[tuple[float, str]]]
    )
    calls: list[tuple[float, str, int]] = field(default_factory=list[tuple[float, str, int]])

    def __post_init__(self) -> None:
        self.states = {name: list(self._states(bad)) for name, bad in self.sources.items()}
        self._page()

    def _states(self, bad: Sequence[bool]) -> Iterator[tuple[float, str]]:
        run_length = 0
        for minute, is_bad in enumerate(bad):
            if is_bad:
                run_length += 1
                if run_length == 1:
                    yield minute, "pending"
                if run_length == self.hold + 1:
                    yield minute, "firing"
            elif run_length:
                yield minute, "resolved" if run_length > self.hold else "cancelled"
                run_length = 0

    def _page(self) -> None:
        """One incident for all, from the first that fires until none does. Its trigger goes out in
        the tick after, its resolve at once, but not in the tick of its trigger."""
        opened: int | None = None
        for minute in range(len(next(iter(self.sources.values())))):
            fires = any(
                minute >= self.hold and all(bad[minute - self.hold : minute + 1])
                for bad in self.sources.values()
            )
            if fires and opened is None:
                opened = minute
                self.calls.append((minute + 1, "trigger", 202))
            if opened is not None and not fires:
                self.calls.append((max(minute, opened + 2), "resolve", 202))
                opened = None


def patterns(seed: int, sources: int, minutes: int) -> dict[str, list[bool]]:
    """Return for each source in which minutes it is bad: runs of one to seven minutes."""
    random = Random(seed)
    made: dict[str, list[bool]] = {}
    for number in range(sources):
        bad: list[bool] = []
        while len(bad) < minutes:
            bad += [len(bad) % 2 == number % 2] * random.randint(1, 7)
        made[f"source-{number}"] = bad[:minutes]
    return made


def replayed(sources: dict[str, list[bool]], minutes: int, **plan: Any) -> Found:
    events = [
        sample
        for name, bad in sources.items()
        for sample in pool([1 if is_bad else 5 for is_bad in bad], name)
    ]
    return run(events, POOL, minutes=minutes - 1, **plan)


def test_many_series_at_once_do_what_the_documents_say() -> None:
    sources = patterns(1, sources=12, minutes=60)
    found, oracle = replayed(sources, 60), Oracle(2, sources)
    assert {name: found.states(POOL, Source=name) for name in sources} == oracle.states


@pytest.mark.parametrize("seed", [3, 4])
def test_few_series_open_and_close_one_incident_as_the_documents_say(seed: int) -> None:
    sources = patterns(seed, sources=2, minutes=60)
    found, oracle = replayed(sources, 60), Oracle(2, sources)
    calls = zip(found.calls(), found.reasons(), strict=True)
    assert [call for call, why in calls if why in ("first", "all_resolved")] == oracle.calls
    assert oracle.calls


def test_restarts_at_any_time_change_nothing() -> None:
    sources = patterns(6, sources=4, minutes=50)
    faults = [{"from": 600, "to": 900, "status": 503}, {"from": 1500, "to": 1600, "status": 400}]
    once = replayed(sources, 50, pagerduty_faults=faults)
    restarts = [{"at": 60 * minute + 30} for minute in range(50)]
    again = replayed(sources, 50, pagerduty_faults=faults, restarts=restarts)
    assert once.output["pagerduty"]
    assert again.output == once.output
