"""Print what makes a shell know the commands: a function `ops`, and what TAB completes after it.

Use it in the project's folder, where `bin/ops` works, too.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

import shtab

from ops.console.command import Desk, load

EXAMPLES = """\
  eval "$(bin/ops completion bash)"
  eval "$(bin/ops completion zsh)"
  bin/ops completion fish | source"""
NAME = "ops"
FUNCTIONS: Mapping[str, str] = {
    "bash": '{name}() {{ "{python}" -m ops "$@"; }}',
    "zsh": '{name}() {{ "{python}" -m ops "$@"; }}',
    "fish": 'function {name}; "{python}" -m ops $argv; end',
}


def declare(parser: ArgumentParser) -> None:
    """Add which shell it is for."""
    parser.add_argument("shell", choices=tuple(FUNCTIONS), help="which shell it is for")


def run(given: Namespace, desk: Desk) -> int:
    """Print the script."""
    completion = shtab.complete(_whole_parser(), given.shell)
    function = FUNCTIONS[given.shell].format(name=NAME, python=sys.executable)
    script = f"{completion}\n{function}"
    if given.json:
        desk.terminal.json({"shell": given.shell, "script": script})
    else:
        desk.terminal.say(script)
    return 0


def _whole_parser() -> ArgumentParser:
    """Return one parser of all commands and their arguments."""
    from ops.__main__ import COMMANDS

    parser = ArgumentParser(prog=NAME)
    commands = parser.add_subparsers(dest="command")
    for name, what in COMMANDS.items():
        own = commands.add_parser(name, help=what)
        load(name).declare(own)
        own.add_argument("--json", action="store_true", help="answer in JSON, for machines")
    return parser
