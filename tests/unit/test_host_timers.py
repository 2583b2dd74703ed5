"""Schedules and timers of the local host."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import azure.functions as func
import pytest
from azure.functions.timer import TimerRequest

from standin.functions_host.index import TimerFunction, index
from standin.functions_host.ncrontab import parse
from standin.functions_host.timers import Timer, TimerStatuses
from tests.fakes import FakeClock

# pyright: reportUnknownMemberType=false
# Because the library leaves TimerRequest.schedule_status untyped.

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 * * * * *", "2026-11-23 12:00:00", "2026-11-23 12:01:00"),
        ("0 * * * * *", "2026-11-23 12:00:59.9", "2026-11-23 12:01:00"),
        ("* * * * *", "2026-11-23 12:00:30", "2026-11-23 12:01:00"),
        ("*/20 * * * * *", "2026-11-23 12:00:20", "2026-11-23 12:00:40"),
        ("0 5/20 * * * *", "2026-11-23 12:46:00", "2026-11-23 13:05:00"),
        ("0 30 9 * * MON-FRI", "2026-11-27 09:30:00", "2026-11-30 09:30:00"),
        ("0 0 0 1,15 * *", "2026-11-23 12:00:00", "2026-12-01 00:00:00"),
        ("0 0 0 29 feb *", "2026-11-23 12:00:00", "2028-02-29 00:00:00"),
        ("0 0 12 13 * 5", "2026-11-23 12:00:00", "2027-08-13 12:00:00"),
        ("0 59 23 31 12 *", "2026-12-31 23:59:00", "2027-12-31 23:59:00"),
        ("00:05:00", "2026-11-23 12:00:07", "2026-11-23 12:05:07"),
        ("1.00:00:00", "2026-11-23 12:00:00", "2026-11-24 12:00:00"),
        ("24:00:00", "2026-11-23 12:00:00", "2026-12-17 12:00:00"),
        ("5", "2026-11-23 12:00:00", "2026-11-28 12:00:00"),
        ("0 22-2 * * * *", "2026-11-23 12:10:00", "2026-11-23 12:11:00"),
        ("0 */0 * * * *", "2026-11-23 12:10:00", "2026-11-23 12:11:00"),
        ("0 0 0 1 March Mon-friday", "2026-11-23 12:00:00", "2027-03-01 00:00:00"),
    ],
)
def test_a_schedule_names_the_next_moment(schedule: str, after: str, expected: str) -> None:
    assert parse(schedule).after(at(after)) == at(expected)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("0 * * *", "has 4 fields"),
        ("60 * * * * *", "'60' is no second; it goes from 0 to 59"),
        ("0 * * * * 7", "'7' is no weekday"),
        ("0 * * * Foo *", "'Foo' is no month"),
        ("0 0 0 1 mars *", "'mars' is no month"),
        ("0 0 0 1 Marchy *", "'Marchy' is no month"),
        ("0 *-5 * * * *", "is no minute"),
        ("0\t* * * * *", "is no minute"),
        ("0 * * * *\n*", "no weekday|no month|has 5 fields"),
        ("0 \u0665 * * * *", "is no minute"),
        ("10:60:00", "has 1 fields"),
        ("00:00:60", "has 1 fields"),
        ("\u0665", "has 1 fields"),
        ("0 ? * * * *", "is no minute"),
        ("0 0 0 30 2 *", "never occurs"),
    ],
)
def test_a_wrong_schedule_is_refused_with_the_part_named(schedule: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(schedule)


def timer_function(schedule: str, *, run_on_startup: bool = False) -> TimerFunction:
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule=schedule, run_on_startup=run_on_startup)
    def look(timer: func.TimerRequest) -> None: ...

    (function,) = index(app, "", {})
    assert isinstance(function, TimerFunction)
    return function


class Bench:
    """Timers on one status file, and what they ran."""

    def __init__(self, file: Path) -> None:
        self.clock = FakeClock(NOON)
        self.statuses = TimerStatuses(file)
        self.runs: list[TimerRequest] = []
        self.run_takes_s = 0.0

    def timer(self, schedule: str = "0 * * * * *", *, run_on_startup: bool = False) -> Timer:
        function = timer_function(schedule, run_on_startup=run_on_startup)
        return Timer(function, self.statuses, self._run, self.clock)

    def tick(self, timer: Timer, **later: float) -> bool:
        return timer.tick(self.clock.advance(**later))

    def _run(self, function: TimerFunction, request: TimerRequest) -> None:
        self.runs.append(request)
        self.clock.advance(seconds=self.run_takes_s)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "host.db")
    yield made
    made.statuses.close()


def test_a_timer_runs_at_its_times_and_not_between(bench: Bench) -> None:
    timer = bench.timer()
    ran = [bench.tick(timer, seconds=20) for _ in range(9)]
    assert ran == [False, False, True] * 3
    assert [run.past_due for run in bench.runs] == [False] * 3
    assert bench.runs[1].schedule_status["Last"] == "2026-11-23T12:01:00+00:00"


def test_a_run_missed_while_down_is_made_up_once_and_said(bench: Bench) -> None:
    bench.tick(bench.timer(), seconds=0)
    timer = bench.timer()
    assert bench.tick(timer, minutes=45, seconds=30)
    assert not bench.tick(timer, seconds=10)
    assert bench.tick(timer, seconds=20)
    assert [run.past_due for run in bench.runs] == [True, False]


def test_many_missed_times_are_one_run_while_up_too(bench: Bench) -> None:
    timer = bench.timer()
    bench.tick(timer, seconds=0)
    assert [bench.tick(timer, hours=3), bench.tick(timer, seconds=1)] == [True, False]
    assert [run.past_due for run in bench.runs] == [False]


def test_a_changed_schedule_is_never_past_due(bench: Bench) -> None:
    bench.tick(bench.timer("0 * * * * *"), seconds=0)
    assert not bench.tick(bench.timer("0 0 * * * *"), minutes=30)


def test_a_timer_of_seconds_keeps_no_status_and_makes_nothing_up(bench: Bench) -> None:
    timer = bench.timer("*/10 * * * * *")
    assert [bench.tick(timer, seconds=0), bench.tick(timer, seconds=10)] == [False, True]
    assert bench.runs[0].schedule_status == {}
    assert not bench.tick(bench.timer("*/10 * * * * *"), minutes=5, seconds=3)


def test_run_on_startup_runs_at_each_start(bench: Bench) -> None:
    timer = bench.timer("0 0 * * * *", run_on_startup=True)
    assert [bench.tick(timer, seconds=1), bench.tick(timer, seconds=1)] == [True, False]
    assert [run.past_due for run in bench.runs] == [False]


def test_after_a_run_longer_than_the_period_the_next_starts_at_once(bench: Bench) -> None:
    timer = bench.timer()
    bench.tick(timer, seconds=0)
    bench.run_takes_s = 70
    assert bench.tick(timer, minutes=1)
    assert bench.tick(timer, seconds=0)
    assert bench.runs[1].schedule_status["Last"] == "2026-11-23T12:01:00+00:00"
    bench.run_takes_s = 150
    assert bench.tick(timer, seconds=0)
    assert [bench.tick(timer, seconds=0), bench.tick(timer, seconds=0)] == [True, True]
    assert {run.past_due for run in bench.runs} == {False}


def test_a_first_run_has_no_status_yet(bench: Bench) -> None:
    timer = bench.timer()
    bench.tick(timer, seconds=0)
    bench.tick(timer, minutes=1)
    assert bench.runs[0].schedule_status["Last"] == "0001-01-01T00:00:00+00:00"
    assert bench.runs[0].schedule_status["LastUpdated"] == "0001-01-01T00:00:00+00:00"
