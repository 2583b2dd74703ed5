"""The columns of UsageEvents: where each stands in an AppEvents row, and its type in KQL."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from shared.events.types import KINDS, Common
from shared.units import UNITS

KqlType = Literal["string", "long", "real"]
KQL: Mapping[object, KqlType] = {str: "string", int: "long", float: "real", Decimal: "real"}
"""Type of a field of an event → type of its column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column.

    key: what events and our rows call it. stored: its name in Properties (string) or Measurements
    (long, real) of AppEvents.
    """

    name: str
    key: str
    type: KqlType
    stored: str


_SHORT: Mapping[str, str] = {
    "team_id": "team",
    "agent_id": "agent",
    "agent_type": "type",
    "mission_id": "mission",
    "conversation_id": "conversation",
    "user_id": "user",
    "environment": "env",
    "response_model": "answered_by",
    "response_id": "response",
    "service_tier": "tier",
    "cost_status": "cost",
    "cost_source": "price",
    "cost_missing": "missing",
    "duration_s": "s",
    "amount_usd": "amount",
    "cost_usd": "usd",
    **{field: unit.stored for field, unit in UNITS.items() if unit.stored},
}
"""Names that nearly every row repeats, and Azure bills each time (decision 0015)."""


def column(key: str, kql_type: KqlType, name: str = "") -> Column:
    """Name the column after the key by default: cost_usd becomes CostUsd."""
    named = name or "".join(part.capitalize() for part in key.split("_"))
    return Column(named, key, kql_type, _SHORT.get(key, key))


def columns_of(data: type[BaseModel]) -> Iterator[Column]:
    """Yield the columns of an event's data, field by field, those of its usage included.

    Raises:
        TypeError: a field is of a type that no column holds.
    """
    for name, field in data.model_fields.items():
        kind: Any = _bare(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from columns_of(kind)
        elif kind in KQL:
            yield column(name, KQL[kind])
        else:
            raise TypeError(f"{data.__name__}.{name}: no column holds {kind}. Add its type to KQL.")


def _bare(annotation: object) -> object:
    """Return the type without `| None` and its limits; several texts stand in one column."""
    if get_origin(annotation) is tuple:
        return str
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return _bare(get_args(annotation)[0])
    return annotation


_OF_EVENTS = dict.fromkeys(
    column for data in (Common, *KINDS.values()) for column in columns_of(data)
)
TEXT = (
    column("id", "string", "EventId"),
    *(column(key, "string") for key in ("source", "subject", "occurred_at")),
    *(one for one in _OF_EVENTS if one.type == "string"),
    *(column(key, "string") for key in ("cost_status", "cost_source", "cost_missing")),
    *(
        column(key, "string")
        for key in ("adjusts", "old_cost_status", "old_cost_usd", "new_cost_usd", "reason", "who")
    ),
)
NUMBERS = (
    *(one for one in _OF_EVENTS if one.type != "string"),
    column("stated_cost_usd", "real"),
    *(column(key, "long") for key in ("adjusted_count", "revision")),
)
COLUMNS = TEXT + NUMBERS
_STORED: Mapping[str, str] = {one.key: one.stored for one in COLUMNS}
DIMENSIONS: Mapping[str, str] = {
    label: next(one.name for one in COLUMNS if one.key == key)
    for label, key in (
        ("team", "team_id"),
        ("agent_type", "agent_type"),
        ("agent", "agent_id"),
        ("mission", "mission_id"),
        ("user", "user_id"),
        ("provider", "provider"),
        ("model", "model"),
        ("tenant", "tenant"),
        ("environment", "environment"),
        ("conversation", "conversation_id"),
        ("deployment", "deployment"),
        ("tier", "service_tier"),
    )
}
"""What costs are split by, and budgets are for → the column that it is in."""
OWNER = (
    *("team_id", "agent_type", "agent_id", "mission_id"),
    *("conversation_id", "user_id", "environment", "tenant"),
)
"""Whose work an event is."""
OWNER_ROW = "span.owner"
"""The Name of a row that holds the OWNER of events from spans, learnt after they were written. It
has no `id`, so that it is none of UsageEvents, which shows those events with what it says: `spans`
of the `trace` of a `source`. Of several rows that name a span, the highest `known` is right."""
SPAN_CHARS = 49
"""How many characters of the id of an event from a span name its trace and span."""
ATTEMPT = "attempt"
"""The measurement that only rows of a repeated delivery carry; what UsageEvents dedups by."""
ADJUSTMENT = "cost.adjustment"
"""The Name of a row that corrects the cost of an earlier one: its CostUsd is new minus old, its
Count is 0, and AdjustedCount calls go from OldCostStatus to CostStatus."""


def properties(text: Mapping[str, str]) -> dict[str, str]:
    """Return a row's texts as they are stored; a price that repeats the model names it once."""
    row = {_STORED.get(key, key): value for key, value in text.items()}
    if "price" in row:
        row["price"] = row["price"].removeprefix(f"{row.get('provider')}/{row.get('model')}; ")
    return row


def measurements(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return a row's numbers as they are stored; UsageEvents knows that no count means one."""
    return {_STORED.get(k, k): float(v) for k, v in numbers.items() if k != "count" or v != 1}
