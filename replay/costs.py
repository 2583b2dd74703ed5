"""What the model calls of a replay cost, as KQL sums it from what was exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from shared.events.columns import NUMBERS
from shared.units import Usage
from standin.monitor.store import MonitorStore

TOKENS = {column.key: column.name for column in NUMBERS if column.key in Usage.model_fields}
"""The column of each kind of tokens, by the name that an event has for it."""
QUERY = f"""
UsageEvents
| where Name == "llm.call"
| summarize calls = sum(Count), usd = sum(CostUsd),
    {", ".join(f"sum({column})" for column in TOKENS.values())}
    by Provider, Model, CostStatus
| order by Provider asc, Model asc, CostStatus asc
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one model, or of all. usd: None where no call has a price. statuses: calls by cost status.

    An unknown price adds nothing to usd: `statuses` counts how many calls have none.
    """

    usd: float | None
    calls: int
    tokens: Mapping[str, int]
    statuses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Bill:
    """What all calls cost, and those of each provider and model."""

    total: Costs
    models: Mapping[tuple[str, str], Costs]


@dataclass(frozen=True, slots=True)
class _Line:
    provider: str
    model: str
    status: str
    calls: int
    usd: float
    tokens: tuple[int, ...]


def bill(store: MonitorStore) -> Bill:
    """Add up every model call of the store; nobody corrects prices during a replay."""
    lines = [_line(row) for row in store.query(QUERY).rows]
    models = groupby(lines, key=lambda line: (line.provider, line.model))
    return Bill(_sum(lines), {model: _sum(list(some)) for model, some in models})


def _line(row: Sequence[object]) -> _Line:
    provider, model, status, calls, usd, *tokens = row
    counts = (cast("int | None", count) or 0 for count in tokens)
    return _Line(
        *(str(provider), str(model), str(status)),
        calls=cast("int", calls),
        usd=cast("float | None", usd) or 0.0,
        tokens=tuple(counts),
    )


def _sum(lines: Sequence[_Line]) -> Costs:
    priced = [line.usd for line in lines if line.status != "unknown"]
    sums = (sum(counts) for counts in zip(*(line.tokens for line in lines), strict=True))
    statuses: dict[str, int] = {}
    for line in lines:
        statuses[line.status] = statuses.get(line.status, 0) + line.calls
    return Costs(
        usd=sum(priced) if priced or not lines else None,
        calls=sum(line.calls for line in lines),
        tokens=dict(zip(TOKENS, sums, strict=False)),
        statuses=statuses,
    )
