"""What a command looks like, and what it works with."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from threading import Event
from typing import Protocol, cast

from ops.console.terminal import Terminal
from shared.clock import Clock


def wait(seconds: float) -> None:
    """Let time pass; Ctrl-C ends it."""
    Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command may use of the world. pause: waits so many seconds."""

    terminal: Terminal
    environment: Mapping[str, str]
    clock: Clock
    pause: Callable[[float], object] = wait


class Command(Protocol):
    """A module of this folder. Its docstring is what --help says first."""

    EXAMPLES: str
    """Lines to copy, indented by two."""

    def declare(self, parser: ArgumentParser) -> None:
        """Add the command's own arguments; `--json` is there for all."""
        ...

    def run(self, given: Namespace, desk: Desk) -> int:
        """Do it and return the exit code.

        Raises:
            Misconfigured: it cannot run as typed or as configured (exit code 2).
            AgentmeterError: any other kind, when it failed (exit code 1).
        """
        ...


def load(name: str) -> Command:
    """Return the command that is typed so: `export-rules` is the module export_rules."""
    module = f"ops.{name.replace('-', '_')}"
    if hasattr(import_module(module), "__path__"):  # a larger command has a folder of its own
        module += ".command"
    return cast("Command", import_module(module))
