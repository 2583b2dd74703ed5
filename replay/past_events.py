"""Reads rows of UsageEvents back as the events that they were."""

from decimal import Decimal
from typing import cast

from pydantic import TypeAdapter, ValidationError

from shared.alerting.count_fast import Priced
from shared.alerting.event_fields import FIELDS, OF_THE_COST, OF_THE_EVENT
from shared.events.types import AgentEvent, LlmCall, Usage
from shared.pricing.cost import Cost, CostStatus
from shared.rows import EventRow

_EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)


def event_of(row: EventRow) -> Priced | None:
    """Return the event and its cost; None for a row that is no event."""
    known = FIELDS.get(row.name)
    if known is None:
        return None
    stated: dict[str, object] = {**row.text, **row.numbers}
    if row.name != "llm.call":
        usage = None
    else:
        usage = {name: stated[name] for name in Usage.model_fields if name in stated}
    own = known - OF_THE_EVENT - OF_THE_COST - frozenset(usage or ())
    data = {name: stated[name] for name in own if name in stated}
    raw = {
        "id": row.text.get("id", "-"),
        "source": row.text.get("source", "-"),
        "type": row.name,
        "time": row.time,
        "data": {**data, "count": int(row.numbers.get("count", 1))},
    }
    if usage:
        raw["data"] = {**cast("dict[str, object]", raw["data"]), "usage": usage}
    try:
        event = _EVENT.validate_python(raw)
    except ValidationError:
        return None
    return event, _cost(row) if isinstance(event.data, LlmCall) else None


def _cost(row: EventRow) -> Cost | None:
    status = row.text.get("cost_status")
    usd = row.numbers.get("cost_usd")
    if status is None:
        return None
    return Cost(None if usd is None else Decimal(str(usd)), cast("CostStatus", status), "")
