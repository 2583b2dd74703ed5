"""Writes events as the rows that Azure Monitor keeps."""

from datetime import UTC, datetime

from shared.events.columns import ATTEMPT, NUMBERS, TEXT
from shared.events.types import AnyEvent, LlmCall
from shared.invocation import read_traceparent
from shared.pricing.cost import Cost
from shared.rows import EventRow
from shared.usecases.processing.exporting import nearest


def event_row(
    event: AnyEvent, cost: Cost | None, attempt: int, now: datetime, request: str = ""
) -> EventRow:
    """Return the event's row: texts to Properties, numbers to Measurements, nothing twice.

    attempt: 1 for a first delivery; a repeat carries its number, because it may stand twice.
    request: the traceparent of the request that brought it, whose trace it is in if it names none.
    """
    stated = _stated(event, cost)
    time = nearest(event.time, now)
    if time != event.time:
        stated["occurred_at"] = event.time.astimezone(UTC).isoformat()
    text = {c.key: str(v) for c in TEXT if (v := stated.get(c.key)) is not None}
    numbers = {c.key: float(str(v)) for c in NUMBERS if (v := stated.get(c.key)) is not None}
    if attempt > 1:
        numbers[ATTEMPT] = float(attempt)
    trace = read_traceparent(event.traceparent or "") or read_traceparent(request)
    return EventRow(event.type, time, text, numbers, trace.trace_id, trace.span_id)


def _stated(event: AnyEvent, cost: Cost | None) -> dict[str, object]:
    """Return everything that the event and its price say, by column key."""
    data = event.data
    stated: dict[str, object] = {**vars(data)}
    if isinstance(data, LlmCall):
        stated |= {k: v for k, v in vars(data.usage).items() if v} if data.usage else {}
        stated["cost_usd"] = None
    if isinstance(data, LlmCall) and data.usage:
        stated |= {n: getattr(data.usage, n) for n in ("input_tokens", "output_tokens")}
    if cost is not None:
        stated |= {"cost_usd": cost.usd, "cost_status": cost.status, "cost_source": cost.source}
        stated["cost_missing"] = ",".join(cost.missing) or None
    return stated | {"id": event.id, "source": event.source, "subject": event.subject}
