"""What the doctor finds, and how a check is made that may fail in any foreseen way."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from shared.errors import AgentmeterError

DEPLOY = "az deployment group create --resource-group GROUP --parameters infra/main.bicepparam"
"""Mends what infra/ makes."""
Outcome = Literal["ok", "wrong", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. mend: the command or step that mends it, "" where nothing is wrong."""

    check: str
    outcome: Outcome
    said: str
    mend: str = ""


Check = tuple[str, Callable[[], Iterable[Finding]]]
"""Its name, and what makes it; an AgentmeterError is a finding, too."""


def examine(check: Check) -> Iterator[Finding]:
    """Make the check and yield what it finds."""
    name, make = check
    try:
        yield from make()
    except AgentmeterError as exc:
        yield wrong(name, str(exc))


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", said)


def wrong(check: str, said: str, mend: str = "") -> Finding:
    """Something is to be mended; `said` tells how where there is no `mend`."""
    return Finding(check, "wrong", said, mend)


def skipped(check: str, said: str, mend: str = "") -> Finding:
    """It was not looked at; mend: what lets the doctor look."""
    return Finding(check, "skipped", said, mend)
