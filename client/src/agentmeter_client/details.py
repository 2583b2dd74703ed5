"""What may be said about an event beside what its method asks for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Union

from agentmeter_client.attribution import NAMES, Attribution, Who

log = logging.getLogger("agentmeter_client")
Money = Union[Decimal, float, int, str]

_FIELDS = frozenset(
    {"count", "team_size", "deployment", "operation", "service_tier", "cost_usd", "message"}
)
_warned: set[str] = set()


class AgentDetails(Who, total=False):
    """count: the event stands for so many; tokens and money are totals, durations of each."""

    count: int


class Details(Attribution, total=False):
    """count: the event stands for so many; tokens and money are totals, durations of each."""

    count: int


class CallDetails(Details, total=False):
    """deployment: Azure's name for the model. cost_usd: what a trusted provider charged."""

    deployment: str | None
    operation: str | None
    service_tier: str | None
    cost_usd: Money | None


class MissionDetails(Details, total=False):
    """team_size: how many agents took part."""

    team_size: int | None


class ErrorDetails(Details, total=False):
    """message: text for the row. An exception's own text may hold a prompt: it is not taken."""

    message: str | None


def fields(details: Mapping[str, object]) -> dict[str, object]:
    """Return what is no attribution. An unknown name is logged once, and left out."""
    if not details:
        return {}
    for name in details.keys() - _FIELDS - _warned:
        if name not in NAMES:
            _warned.add(name)
            log.warning("agentmeter has no field %r; it is left out.", name)
    return {name: details[name] for name in details.keys() & _FIELDS}
