"""What is asked of the costs: which calls, split by what, in which order, how many rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.alerting.budget_rules import literal
from shared.events.columns import DIMENSIONS
from shared.usecases.spending.buckets import Buckets
from shared.usecases.spending.period import Period

COST_STATUS = "cost_status"
SPLIT_BY: Mapping[str, str] = {**DIMENSIONS, COST_STATUS: "CostStatus"}
"""What costs are split by → the column that it is in. The status is the one after corrections."""
MOST_DIMENSIONS = 2
MOST_ROWS = 10_000
DEFAULT_ROWS = 1_000
MOST_CELLS = 100_000
"""Rows times buckets: what one answer of Log Analytics holds for sure, in two periods."""

Values = Mapping[str, tuple[str, ...]]
"""Name of TOLD_BY → values; "" is that of calls which named none."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The calls that count: of each dimension, with one of `only` and with none of `without`."""

    only: Values = field(default_factory=dict[str, tuple[str, ...]])
    without: Values = field(default_factory=dict[str, tuple[str, ...]])

    def of_events(self) -> str:
        """Return the lines of KQL that keep these calls and their corrections."""
        return "".join(_lines(self, DIMENSIONS))

    def of_calls(self) -> str:
        """Return the same for calls that are corrected already: they have a status."""
        return "".join(_lines(self, SPLIT_BY))


def _lines(scope: Scope, columns: Mapping[str, str]) -> list[str]:
    return [
        f"\n| where {column} {operator} ({', '.join(map(literal, values[name]))})"
        for operator, values in (("in", scope.only), ("!in", scope.without))
        for name, column in columns.items()
        if name in values
    ]


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Question:
    """by: names of TOLD_BY, at most two. before: a period to compare with.

    sort: a name of SORTS. top, offset: which of the sorted rows.
    """

    period: Period
    by: tuple[str, ...] = ("model",)
    scope: Scope = EVERYTHING
    buckets: Buckets | None = None
    before: Period | None = None
    sort: str = "cost"
    ascending: bool = False
    top: int = DEFAULT_ROWS
    offset: int = 0
