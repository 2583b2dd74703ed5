"""What CostAnomaly compares: a team's and a model's last hour with the same hour of days before."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from local.fleet.runner import Fleet
from shared.events.types import LlmCall
from shared.pricing.price import load
from tests.rule_table import CONFIG, EVENT, RULES, START, Event, Events, llm

(CONDITION,) = RULES["CostAnomaly"].conditions
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ONE_IN = 60
"""Of so many seconds of the fleet one is counted."""
COUNTED = 20 * ONE_IN
"""So many times, for a fleet of twenty such: one alone costs less than what is told."""


def day(ago: int, usd: float, minute: float = 30, team: str = "atlas", model: str = "") -> Event:
    """Return what was spent so many days before the last hour, and the hour's minute of it."""
    at = timedelta(days=7 - ago, minutes=minute)
    return llm(at.total_seconds(), CostUsd=usd, TeamId=team, Model=model)


def factors(events: Sequence[Event]) -> Mapping[str, float]:
    """Return how many times as much as usual each team and model spent."""
    table = Events(events)
    reading = table.read(CONDITION, START + CONDITION.window)
    table.close()
    assert isinstance(reading, Mapping)
    return {
        "".join(one.labels.values()): round(float(one.value or 0), 2) for one in reading.values()
    }


WEEK = [day(ago, 10.0) for ago in range(1, 8)]
CASES = [
    pytest.param([*WEEK, day(0, 35.0)], {"atlas": 3.5}, id="a-rise"),
    pytest.param([*WEEK[1:], day(1, 500.0), day(0, 35.0)], {"atlas": 3.5}, id="one-odd-day-before"),
    pytest.param([*WEEK, day(0, 10.0, 1), day(0, 90.0, -5)], {"atlas": 1.0}, id="the-hour-before"),
    pytest.param([day(n, 200.0) for n in range(8)], {"atlas": 1.0}, id="a-peak-of-every-day"),
    pytest.param([*WEEK, day(0, 40.0, team="new")], {"new": 8.0}, id="a-new-team-has-5-dollars"),
    pytest.param([*WEEK, day(0, 4.9, team="small")], {}, id="less-than-5-dollars-is-not-told"),
    pytest.param(
        [day(1, 10.0), day(3, 10.0), day(0, 30.0)], {"atlas": 3.0}, id="a-day-without-calls-is-0"
    ),
    pytest.param([day(1, 1.0), day(2, 1.0), day(0, 90.0)], {}, id="two-days-are-too-few"),
    pytest.param(
        [*WEEK, day(0, 60.0, team="", model="m")], {"m": 12.0}, id="calls-of-no-team-have-a-model"
    ),
    pytest.param(
        [*WEEK, day(0, 20.0, team='Zürich "1"', model="m")],
        {'Zürich "1"': 4.0, "m": 4.0},
        id="a-team-and-its-model",
    ),
    pytest.param([], {}, id="nothing"),
]


@pytest.mark.parametrize(("events", "expected"), CASES)
def test_the_last_hour_is_compared(events: Sequence[Event], expected: Mapping[str, float]) -> None:
    assert factors(events) == expected


def fleet() -> Iterator[Event]:
    """Yield the model calls of a fleet that is well, in one hour of eight days, with their cost."""
    agents = Fleet(7, START, incidents=False)
    prices = load((CONFIG / "prices.toml").read_text(encoding="utf-8"))
    for second in range(0, int(8 * DAY / timedelta(seconds=1)), ONE_IN):
        at = START + timedelta(seconds=second)
        if at - START > 7 * DAY + HOUR or (at - START) % DAY >= HOUR:
            continue
        for sent in agents.events_between(at, at + timedelta(seconds=1)):
            if sent["type"] != "llm.call":
                continue
            data = EVENT.validate_python(sent).data
            assert isinstance(data, LlmCall)
            usd = prices.price(data, datetime.fromisoformat(str(sent["time"]))).usd
            cost = {} if usd is None else {"CostUsd": COUNTED * float(usd)}
            yield llm(second, COUNTED, TeamId=data.team_id or "", Model=data.model, **cost)


def test_a_fleet_that_is_well_stays_far_below() -> None:
    found = factors(list(fleet()))
    assert len(found) > 4
    assert max(found.values()) < 2
