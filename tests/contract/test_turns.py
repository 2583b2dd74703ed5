"""What every storage of turns promises: where the timer is overdue, one stands in for it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from shared.storage.rows import Rows
from shared.storage.turns import TurnRows
from tests.contract.databases import OpenDatabase

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OVERDUE = timedelta(minutes=2)
HALF = timedelta(seconds=30)


def takes(rows: Rows, seconds: float) -> bool:
    """Take the turn for half a minute, so long after noon."""
    now = NOON + timedelta(seconds=seconds)
    return TurnRows(rows).take(now, OVERDUE, now + HALF)


def test_no_turn_while_the_timer_is_heard_of(rows: Rows) -> None:
    TurnRows(rows).evaluated(NOON)
    assert [takes(rows, s) for s in (0, 60, 120)] == [False] * 3


def test_an_overdue_timer_leaves_a_turn_each_half_minute(rows: Rows) -> None:
    TurnRows(rows).evaluated(NOON)
    taken = [s for s in range(100, 220, 5) if takes(rows, s)]
    assert taken == [125, 155, 185, 215]


def test_a_timer_that_is_back_ends_the_turn(rows: Rows) -> None:
    TurnRows(rows).evaluated(NOON)
    assert takes(rows, 130)
    TurnRows(rows).evaluated(NOON + timedelta(seconds=135))
    assert not takes(rows, 200)
    assert takes(rows, 260)


def test_a_timer_never_heard_of_has_its_time_too(rows: Rows) -> None:
    assert [takes(rows, s) for s in (0, 60, 120, 125)] == [False, False, False, True]


def test_times_ahead_of_the_clock_say_nothing(rows: Rows) -> None:
    TurnRows(rows).evaluated(NOON + timedelta(hours=1))
    assert takes(rows, 0)
    assert TurnRows(rows).take(NOON - timedelta(hours=1), OVERDUE, NOON - timedelta(minutes=59))


def test_of_many_at_once_one_has_the_turn(open_database: OpenDatabase) -> None:
    tables = [open_database().table("alerts") for _ in range(4)]
    TurnRows(tables[0]).evaluated(NOON)
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(partial(takes, seconds=130), tables)) == 1
