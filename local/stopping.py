"""Ends the stack in steps that are said, within a bound."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LIMIT_S = 10
CUT_OFF = (
    "{} was cut off after {} s. Nothing is lost: what was accepted is in the queue, and goes on at "
    "the next start."
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to end. name: what it is, as the terminal says it."""

    name: str
    end: Callable[[], None]


@dataclass(slots=True)
class Stopping:
    """Takes the steps in their order; the process ends after `limit_s`, whatever is at work.

    exit: ends the process without waiting for its threads.
    """

    say: Say
    limit_s: int = LIMIT_S
    exit: Callable[[int], object] = os._exit
    _at: str = ""
    _done: threading.Event = field(default_factory=threading.Event)

    def take(self, steps: Sequence[Step]) -> None:
        """Take the steps; says each, and every other second the one that is still at work."""
        threading.Thread(target=self._watch, name="stopping", daemon=True).start()
        for step in steps:
            self._at = step.name
            self.say(f"stopping {step.name} ...")
            step.end()
        self._done.set()
        self.say("stopped")

    def _watch(self) -> None:
        for left_s in range(self.limit_s - 1, -1, -1):
            if self._done.wait(1):
                return
            if left_s and left_s % 2 == 0:
                self.say(f"{self._at} is still at work; {left_s} s are left (Ctrl-C ends it now)")
        self.say(CUT_OFF.format(self._at, self.limit_s))
        self.exit(1)
