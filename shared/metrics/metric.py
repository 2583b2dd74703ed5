"""What a metric of the catalogue is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from shared.events import types
from shared.pricing.cost import Cost

Kind = Literal["counter", "gauge", "histogram"]
Amounts = Iterable[tuple[tuple[str, ...], Decimal | float]]
Read = Callable[[Any, Cost | None], Amounts]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    of: the event data it is derived from; None for what agentmeter counts of itself.
    read: event data and cost → (label values, amount) pairs, in the order of `labels`.
    unit: seconds, usd, tokens, ratio, or "" for a plain count.
    buckets: upper bounds of a histogram, ascending, without +Inf.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    of: type[types.Common] | None = None
    read: Read = lambda data, cost: ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
