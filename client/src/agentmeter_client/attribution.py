"""Who causes the events: set once, it holds for everything inside, threads of asyncio included."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import TypedDict

log = logging.getLogger("agentmeter_client")

NAMES = (
    "team_id",
    "agent_id",
    "agent_type",
    "mission_id",
    "conversation_id",
    "user_id",
    "environment",
    "tenant",
)
_NOBODY: Mapping[str, str] = {}
_current: ContextVar[Mapping[str, str] | None] = ContextVar("agentmeter", default=None)


class Who(TypedDict, total=False):
    """Whom an event is about; what is None or absent is taken from outside."""

    team_id: str | None
    agent_id: str | None
    mission_id: str | None
    conversation_id: str | None
    user_id: str | None
    environment: str | None
    tenant: str | None


class Attribution(Who, total=False):
    """The same, for what is not about an agent yet may name its type."""

    agent_type: str | None


def current() -> Mapping[str, str]:
    """Return what holds here."""
    return _current.get() or _NOBODY


def replace(whole: Mapping[str, str]) -> Mapping[str, str]:
    """Let this hold here from now on; return what held before."""
    before = current()
    _current.set(whole)
    return before


def stated(given: Mapping[str, object]) -> dict[str, str]:
    """Return the names that are set, as text."""
    return {name: str(v) for name in NAMES if (v := given.get(name)) is not None and v != ""}


class Scope:
    """`with Scope({...}):` adds to what holds inside."""

    __slots__ = ("_added", "_token")

    def __init__(self, added: Mapping[str, str]) -> None:
        self._added = added
        self._token: Token[Mapping[str, str] | None] | None = None

    def __enter__(self) -> None:
        if self._added:
            self._token = _current.set({**current(), **self._added})

    def __exit__(self, *exc: object) -> None:
        if self._token is None:
            return
        try:
            _current.reset(self._token)
        except (ValueError, RuntimeError):
            # Ended in another context than it began, which an abandoned async generator does:
            # what was set there is gone with that context.
            log.debug("An attribution ended in another context than it began.")
        self._token = None
