"""The fields of each kind of event, as a fast condition may name them."""

from collections.abc import Mapping
from typing import Any, get_args

from shared.events import columns
from shared.events.types import AgentEvent, AnyEvent, Common, LlmCall, Usage
from shared.pricing.cost import Cost

OF_THE_EVENT = frozenset({"source", "subject"})
OF_THE_COST = frozenset({"cost_usd", "cost_status"})
TEXTS = frozenset(column.key for column in columns.TEXT) - {"id"}
NUMBERS = frozenset(column.key for column in columns.NUMBERS) - {"count"}
_COLUMNS = {column.key: column.name for column in columns.COLUMNS}


def _kinds() -> Mapping[str, type[Common]]:
    """Return the data of each kind of event."""
    found: dict[str, type[Common]] = {}
    for event in get_args(get_args(AgentEvent)[0]):
        fields = event.model_fields
        (name,) = get_args(fields["type"].annotation)
        found[name] = fields["data"].annotation
    return found


def _fields(data: type[Common]) -> frozenset[str]:
    own = frozenset(data.model_fields) | OF_THE_EVENT
    if issubclass(data, LlmCall):
        own |= frozenset(Usage.model_fields) | OF_THE_COST
    return own & (TEXTS | NUMBERS)


FIELDS: Mapping[str, frozenset[str]] = {name: _fields(data) for name, data in _kinds().items()}


def texts_of(event: str) -> list[str]:
    """Return the fields of the kind of event that hold texts."""
    return sorted(FIELDS[event] & TEXTS)


def column_of(field: str) -> str:
    """Return the column of UsageEvents that holds the field."""
    return _COLUMNS[field]


def text_of(event: AnyEvent, cost: Cost | None, field: str) -> str:
    """Return a text field of the event; "" where it says nothing."""
    found = _found(event, cost, field)
    return "" if found is None else str(found)


def number_of(event: AnyEvent, cost: Cost | None, field: str) -> float | None:
    """Return a number of the event; None where it says nothing."""
    found = _found(event, cost, field)
    return None if found is None else float(found)


def _found(event: AnyEvent, cost: Cost | None, field: str) -> Any:
    if field in OF_THE_EVENT:
        return getattr(event, field)
    if field in OF_THE_COST:
        return getattr(cost, field.removeprefix("cost_"), None)
    if field in Usage.model_fields:
        return getattr(getattr(event.data, "usage", None), field, None)
    return getattr(event.data, field, None)
