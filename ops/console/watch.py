"""Shows a command's answer again and again, each in the place of the one before."""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from ops.console.command import Desk
from ops.console.moments import span
from ops.console.terminal import Draft, Terminal


def declare_watch(parser: ArgumentParser, default: timedelta | None = None) -> None:
    """Add --watch; the command is then run so often, until Ctrl-C."""
    parser.add_argument(
        "--watch",
        type=span,
        default=default,
        metavar="SPAN",
        help="ask again every so often, as 5s or 1m, until Ctrl-C"
        + (f"; default: {default.total_seconds():.0f}s" if default else ""),
    )


def watch(run: Callable[[Desk], int], desk: Desk, every: timedelta, misused: int) -> int:
    """Run until a person stops it, or it cannot run as typed.

    run: the command; says foreseen failures itself and returns its exit code. What fails now may
    work the next time.
    """
    with desk.terminal.in_place() as show:
        while True:
            draft = Draft(desk.terminal)
            code = run(replace(desk, terminal=Terminal(draft, draft)))
            show(draft.getvalue())
            if code == misused:
                return code
            try:
                desk.pause(every.total_seconds())
            except KeyboardInterrupt:
                return code
