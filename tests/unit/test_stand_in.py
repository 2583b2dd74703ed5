"""Standing in for the timer: seldom asked, once done, and never the end of a message."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import RetryLater
from shared.storage.memory import MemoryDatabase
from shared.storage.turns import TurnRows
from shared.usecases.evaluation.stand_in import StandIn

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Turns:
    """Counts how often it is asked, and always gives the turn."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def evaluated(self, at: datetime) -> None:
        raise AssertionError(at)

    def take(self, now: datetime, overdue: timedelta, until: datetime) -> bool:
        self.asked.append(now)
        return True


def seconds(*numbers: float) -> list[datetime]:
    return [NOON + timedelta(seconds=number) for number in numbers]


def test_a_process_asks_once_in_half_a_minute() -> None:
    turns, done = Turns(), list[datetime]()
    stand_in = StandIn(turns, done.append)
    for now in seconds(0, 1, 29, 30, 45, 59, 61):
        stand_in.run(now)
    assert done == turns.asked == seconds(0, 30, 61)


def test_a_clock_set_back_does_not_stop_it() -> None:
    turns = Turns()
    stand_in = StandIn(turns, lambda now: None)
    for now in seconds(3600, 0, 1):
        stand_in.run(now)
    assert turns.asked == seconds(3600, 0)


@pytest.mark.parametrize("fault", [RetryLater("no answer"), ZeroDivisionError()])
def test_what_fails_there_fails_no_message(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(now: datetime) -> None:
        raise fault

    assert not StandIn(Turns(), fail).run(NOON)
    assert "Standing in for the timer failed" in caplog.text


def test_of_two_processes_one_evaluates() -> None:
    rows = MemoryDatabase().table("alerts")
    TurnRows(rows).evaluated(NOON)
    done: list[datetime] = []
    several = [StandIn(TurnRows(rows), done.append) for _ in range(3)]
    for now in seconds(60, 121, 125, 152):
        for one in several:
            one.run(now)
    assert done == seconds(121, 152)
