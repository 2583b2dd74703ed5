"""What commands say, on a terminal and into a file; and how the commands are found."""

import io
import subprocess
import sys

import pytest

from ops.__main__ import COMMANDS, main
from ops.console.command import Desk, load
from ops.console.terminal import Terminal
from shared.clock import SystemClock


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_numbers_stand_at_the_right_and_a_cell_stays_on_its_line() -> None:
    out = io.StringIO()
    Terminal(out, io.StringIO()).table(("what", "n"), [("two\nlines", 5), ("[red]", 1234)])
    assert out.getvalue().splitlines() == ["what          n", "two lines     5", "[red]      1234"]


def test_a_table_without_rows_still_names_its_columns() -> None:
    out = io.StringIO()
    Terminal(out, io.StringIO()).table(("what", "n"), [])
    assert out.getvalue() == "what  n\n"


def test_on_a_terminal_brackets_in_a_cell_are_no_markup() -> None:
    out = Screen()
    Terminal(out, io.StringIO()).table(("[b]what",), [("[red]text[/red]",)])
    assert "[red]text[/red]" in out.getvalue()
    assert "[b]what" in out.getvalue()


def test_progress_is_a_line_for_each_tenth_where_no_bar_can_be_drawn() -> None:
    err = io.StringIO()
    with Terminal(io.StringIO(), err).progress("calls", 1000) as advance:
        for _ in range(100):
            advance(10)
    lines = err.getvalue().splitlines()
    assert len(lines) == 10
    assert (lines[0], lines[-1]) == ("calls: 100 of 1,000", "calls: 1,000 of 1,000")


def test_on_a_terminal_progress_is_a_bar_and_never_in_the_answer() -> None:
    out, err = Screen(), Screen()
    terminal = Terminal(out, err)
    with terminal.progress("calls", 10) as advance:
        advance(5)
        terminal.note("it waits")
        advance(5)
    assert "10/10" in err.getvalue()
    assert "it waits\n" in err.getvalue()
    assert out.getvalue() == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(Terminal(sys.stdout, sys.stderr), {}, SystemClock())
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"], desk)
    said = capsys.readouterr().out
    assert f"bin/ops {name} " in load(name).EXAMPLES
    assert "examples:" in said
    assert "--json" in said


def test_as_a_program_it_lists_its_commands_and_refuses_others() -> None:
    program = [sys.executable, "-m", "ops"]
    helped = subprocess.run([*program, "--help"], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert all(name in helped.stdout for name in COMMANDS)
    refused = subprocess.run([*program, "no-such"], capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    assert refused.returncode == 2
    assert "invalid choice: 'no-such'" in refused.stderr
