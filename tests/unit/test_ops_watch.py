import io
from collections.abc import Callable
from datetime import timedelta

import pytest

from ops.__main__ import MISUSED
from ops.console.command import Desk
from ops.console.terminal import Terminal
from ops.console.watch import watch
from tests.fakes import START, FakeClock


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def watched(out: io.StringIO, run: Callable[[Desk], int], rounds: int) -> tuple[int, list[float]]:
    """Watch until a person has seen so many rounds; return the exit code and the waits."""
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == rounds:
            raise KeyboardInterrupt

    desk = Desk(Terminal(out, io.StringIO()), {}, FakeClock(START), pause)
    return watch(run, desk, timedelta(seconds=5), MISUSED), waits


def counting() -> Callable[[Desk], int]:
    seen: list[int] = []

    def run(desk: Desk) -> int:
        seen.append(1)
        desk.terminal.table(("round",), [(len(seen),)])
        return 0

    return run


def test_without_a_terminal_answers_follow_each_other() -> None:
    out = io.StringIO()
    assert watched(out, counting(), rounds=2) == (0, [5.0, 5.0])
    assert out.getvalue() == "round\n    1\nround\n    2\n"


def test_on_a_terminal_an_answer_takes_the_place_of_the_last_and_the_last_one_stays() -> None:
    out = Screen()
    watched(out, counting(), rounds=3)
    _, _, after = out.getvalue().rpartition("\x1b[?1049l")
    assert out.getvalue().startswith("\x1b[?1049h")
    assert "3" in after
    assert "2" not in after.replace("\x1b[?25h", "")


def test_what_fails_once_is_asked_again() -> None:
    codes = [1, 0]

    def run(desk: Desk) -> int:
        desk.terminal.note("busy" if codes[0] else "well")
        return codes.pop(0)

    out = io.StringIO()
    assert watched(out, run, rounds=2)[0] == 0
    assert out.getvalue() == "busy\nwell\n"


@pytest.mark.parametrize("screen", [io.StringIO, Screen])
def test_what_cannot_run_as_typed_ends_at_once(screen: type[io.StringIO]) -> None:
    def run(desk: Desk) -> int:
        desk.terminal.note("name a workspace")
        return MISUSED

    out = screen()
    assert watched(out, run, rounds=9) == (MISUSED, [])
    assert "name a workspace" in out.getvalue()
