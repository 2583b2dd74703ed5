"""Says things to a person or to a machine: tables, JSON, progress."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from math import isfinite
from typing import TextIO, cast

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

STEPS = 10
"""How many lines of progress there are where no terminal can draw a bar."""


class Draft(StringIO):
    """A text in the making, with all that the terminal it is for can show."""

    def __init__(self, terminal: "Terminal") -> None:
        super().__init__()
        self._is_terminal = terminal.is_terminal

    def isatty(self) -> bool:
        """Return whether a person will read it on a terminal."""
        return self._is_terminal


class Terminal:
    """Answers go to `out`; all that is said about the work goes to `err`."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._bar: Console | None = None

    @property
    def is_terminal(self) -> bool:
        """Return whether the answers are read on a terminal."""
        return self._out.isatty()

    def say(self, text: str) -> None:
        """Write a line of the answer."""
        self._out.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Write a line about the work: a failure, a wait, a hint; above a bar where one is."""
        if self._bar:
            self._bar.print(Text(text))
            return
        self._err.write(f"{text}\n")
        self._err.flush()

    def json(self, value: object) -> None:
        """Write the answer as JSON: moments in ISO 8601, numbers that are none as text."""
        self.say(json.dumps(jsonable(value), indent=2, ensure_ascii=False, allow_nan=False))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write the rows under their columns; numbers stand at the right."""
        texts = [[_cell(value) for value in row] for row in rows]
        right = [
            bool(rows) and all(_is_number(row[n]) for row in rows) for n in range(len(columns))
        ]
        if self._out.isatty():
            self._rich_table(columns, texts, right)
        else:
            self._plain_table(columns, texts, right)

    def _rich_table(
        self, columns: Sequence[str], texts: Sequence[Sequence[str]], right: Sequence[bool]
    ) -> None:
        table = Table()
        for name, is_right in zip(columns, right, strict=True):
            table.add_column(Text(name), justify="right" if is_right else "left", overflow="fold")
        for row in texts:
            table.add_row(*map(Text, row))
        Console(file=self._out).print(table)

    def _plain_table(
        self, columns: Sequence[str], texts: Sequence[Sequence[str]], right: Sequence[bool]
    ) -> None:
        lines = [list(columns), *texts]
        widths = [max(len(line[n]) for line in lines) for n in range(len(columns))]
        for line in lines:
            cells = (
                text.rjust(width) if is_right else text.ljust(width)
                for text, width, is_right in zip(line, widths, right, strict=True)
            )
            self.say("  ".join(cells).rstrip())

    @contextmanager
    def in_place(self) -> Generator[Callable[[str], object]]:
        """Show texts, each in the place of the one before; call the result with the next.

        The last stays when it is over. Where there is no terminal they follow each other.
        """
        if not self._out.isatty():
            yield self._out.write
            return
        last = ""
        with Live(console=Console(file=self._out), screen=True, auto_refresh=False) as screen:

            def show(text: str) -> None:
                nonlocal last
                last = text
                screen.update(Text.from_ansi(text), refresh=True)

            yield show
        self._out.write(last)

    @contextmanager
    def progress(self, what: str, total: int) -> Generator[Callable[[int], None]]:
        """Show how far the work is; call the result with how many more are done.

        A bar on a terminal, a line for each tenth elsewhere.
        """
        if not self._err.isatty():
            yield self._lines(what, total)
            return
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(file=self._err),
        ) as bar:
            task = bar.add_task(what, total=total)
            self._bar = bar.console
            try:
                yield lambda more: bar.advance(task, more)
            finally:
                self._bar = None

    def _lines(self, what: str, total: int) -> Callable[[int], None]:
        """Return what notes the progress each time another tenth is done."""
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            before, done = done, done + more
            if done * STEPS // total > before * STEPS // total:
                self.note(f"{what}: {done:,} of {total:,}")

        return advance


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    """Return the value on one line, short enough for a person: ten digits, times to the second."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:.10g}"
    return " ".join(str(value).splitlines())


def jsonable(value: object) -> object:
    """Return the same in what JSON has; what it has no exact form for becomes text."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {str(key): jsonable(item) for key, item in pairs}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in cast("Sequence[object]", value)]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal) or (isinstance(value, float) and not isfinite(value)):
        return str(value)
    return value
