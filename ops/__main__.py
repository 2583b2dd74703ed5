"""What an operator types: `bin/ops <command>`.

A command is a module of this folder that fits `Command`, and its line in COMMANDS.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from ops.console.command import Command, Desk, load
from ops.console.terminal import Terminal
from ops.console.watch import watch
from shared.clock import SystemClock
from shared.errors import AgentmeterError, Misconfigured
from shared.settings import operator_environment

COMMANDS: Mapping[str, str] = {
    "check": "read every file of config/ and say all that is wrong",
    "replay": "run recorded events through the whole pipeline, and see what happens",
    "backtest": "try alert rules on what has been: episodes, pages a week",
    "drill": "send a page that is a drill, see it taken and resolved",
    "detection": "measure how soon hard failures page, and write docs/detection.md",
    "play": "post a recorded trace of model calls",
    "top": "watch spend, calls, failures and alerts, live",
    "query": "ask KQL of everything that was measured",
    "page": "serve the page on this machine over a deployment",
    "costs": "show what was spent, by whom, against the period before",
    "export": "write a period's events to Parquet, CSV or JSON lines",
    "export-rules": "write the rules as Azure's own alerts, in Bicep",
    "bill": "compute what a deployment costs a month",
    "doctor": "examine a deployment by real calls, and say how to fix it",
    "poison": "show, replay, split or drop what was dead-lettered",
    "pages": "show pages that wait and state that cannot be read, and drop one",
    "why": "explain why an alert fires or does not, and who was notified",
    "trace": "show what agents did in a trace, mission or conversation, and its cost",
    "verdict": "say whether an alert was real, or noise",
    "alerts": "report how good each alert rule is: delays, pages a week, noise",
    "keys": "make, list and remove keys by role: agent, reader, operator",
    "labels": "show the label values that metrics have, and make room for others",
    "forget": "remove every row that names a user or a team, for good",
    "silence": "mute alerts for a while: list, add, end",
    "price": "explain what a model call costs, or price many",
    "prices": "audit our prices against two independent sources",
    "reprice": "compute a period's costs again after a correction of prices",
    "advisories": "check what is deployed against known faults of its packages",
    "sbom": "write the software bill of materials of what is deployed",
    "completion": "make a shell complete all this",
    "queries": "list every query that ships, for a KQL checker",
    "generated": "write the generated files anew, or check them",
}
FAILED, MISUSED = 1, 2


def main(argv: Sequence[str], desk: Desk) -> int:
    """Run one command and return its exit code.

    0: done. 1: it ran, and what it says is bad, or the other side failed. 2: it could not run as
    typed or as configured. A foreseen failure is one sentence on stderr.
    """
    name, rest = _choose(argv)
    try:
        command = load(name)
    except ModuleNotFoundError as exc:
        desk.terminal.note(f"{name}: The package {exc.name} is not installed. Type: make setup")
        return MISUSED
    except Misconfigured as exc:  # a file that is read at import
        desk.terminal.note(f"{name}: {exc}")
        return MISUSED
    given = _parser(name, command).parse_args(rest)
    run = partial(_run, name, command, given)
    try:
        if every := getattr(given, "watch", None):
            return watch(run, desk, every, MISUSED)
        return run(desk)
    except KeyboardInterrupt:
        desk.terminal.note(f"{name}: Stopped. Type the same command to start again.")
        return FAILED


def _run(name: str, command: Command, given: argparse.Namespace, desk: Desk) -> int:
    """Run the command; what was foreseen is a sentence, and no stack trace."""
    try:
        return command.run(given, desk)
    except AgentmeterError as exc:
        desk.terminal.note(f"{name}: {exc}")
        return MISUSED if isinstance(exc, Misconfigured) else FAILED


def _choose(argv: Sequence[str]) -> tuple[str, list[str]]:
    """Split off the command's name; each command reads what follows by itself."""
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        prog="bin/ops",
        description="The operator's commands of agentmeter.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {what}" for name, what in COMMANDS.items())
        + "\n\n`bin/ops COMMAND --help` shows examples.\n"
        "Exit codes: 0 done; 1 the answer is bad or the other side failed; 2 it cannot run so.",
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    return parser.parse_args(argv[:1]).command, list(argv[1:])


def _parser(name: str, command: Command) -> argparse.ArgumentParser:
    """Return the parser of one command: its own arguments, and those that every command has."""
    parser = argparse.ArgumentParser(
        prog=f"bin/ops {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"examples:\n{command.EXAMPLES}",
    )
    command.declare(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON, for machines")
    return parser


def _start() -> int:
    """Run on the process's own terminal; a reader that leaves early, like `head`, is no error."""
    terminal = Terminal(sys.stdout, sys.stderr)
    try:
        code = main(sys.argv[1:], Desk(terminal, operator_environment(), SystemClock()))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


if __name__ == "__main__":
    raise SystemExit(_start())
