"""A part of the configuration that goes on as it was when its files become wrong."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from shared.errors import AgentmeterError, Misconfigured
from shared.store_ports import Texts

logger = logging.getLogger(__name__)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _InForce(Generic[Value]):
    """text: the edition that value is of. problem: what is wrong with the files, and what stands
    in for them; "" where they are right."""

    text: str
    value: Value
    problem: str = ""


class LastRight(Generic[Value]):
    """Reads the files whenever it is asked; what was right is kept in storage for other processes.

    Without an edition that was right, a reader gets the error.
    """

    def __init__(
        self, name: str, read: Callable[[], str], parse: Callable[[str], Value], texts: Texts
    ) -> None:
        """name: what it is kept as. read, parse: raise Misconfigured for what is wrong."""
        self._name = name
        self._read = read
        self._parse = parse
        self._texts = texts
        self._lock = Lock()
        self._found: _InForce[Value] | None = None

    def get(self) -> Value:
        """Return what is in force.

        Raises:
            Misconfigured: the files are wrong, and no edition of them was ever right.
        """
        return self._look().value

    def text(self) -> str:
        """Return the edition in force. Raises as get()."""
        return self._look().text

    def check(self) -> Value:
        """Return what the files say.

        Raises:
            Misconfigured: they are wrong: where, what goes on in their place, and the remedy.
        """
        found = self._look()
        if found.problem:
            raise Misconfigured(found.problem)
        return found.value

    def _look(self) -> _InForce[Value]:
        with self._lock:
            self._found = self._next(self._found)
            return self._found

    def _next(self, before: _InForce[Value] | None) -> _InForce[Value]:
        try:
            text = self._read()
            if before and before.text == text:
                return _InForce(text, before.value)
            found = _InForce(text, self._parse(text))
        except Misconfigured as exc:
            return self._stand_in(before or self._kept(exc), str(exc))
        self._keep(text)
        return found

    def _stand_in(self, right: _InForce[Value], wrong: str) -> _InForce[Value]:
        problem = f"{wrong} Until then, the last known good one goes on."
        if problem != right.problem:
            logger.error("%s", problem)
        return _InForce(right.text, right.value, problem)

    def _kept(self, wrong: Misconfigured) -> _InForce[Value]:
        """Return what was kept; where there is nothing that can be read, the files' own fault."""
        try:
            text = self._texts.read(self._name)
            if text is not None:
                return _InForce(text, self._parse(text))
        except AgentmeterError as exc:
            logger.warning("The last known good %s cannot be read: %s", self._name, exc)
        raise wrong

    def _keep(self, text: str) -> None:
        """Go on without the storage: it only matters when the files become wrong."""
        try:
            if self._texts.read(self._name) != text:
                self._texts.write(self._name, text)
        except AgentmeterError as exc:
            logger.warning("This edition of %s was not kept for later: %s", self._name, exc)
