"""Writes events and the spans beside them as rows of Azure Monitor, each span exactly once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol, cast

from shared.claim_ports import Claims
from shared.events.carried_span import CarriedSpan
from shared.events.columns import ATTEMPT, NUMBERS, TEXT
from shared.events.message import Message
from shared.events.types import AnyEvent, LlmCall
from shared.invocation import read_traceparent
from shared.ports import Exporter
from shared.pricing.cost import Cost
from shared.pricing.entry import plain
from shared.rows import EventRow, ExportLater, ExportRefused, SpanRow
from shared.units import UNITS, total_of
from shared.usecases.processing.correct import Correction
from shared.usecases.processing.exporting import nearest, raise_if_later

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXTS_KEPT = frozenset(column.key for column in TEXT)
NUMBERS_KEPT = frozenset(column.key for column in NUMBERS)
TOTALS = frozenset({"input_tokens", "output_tokens"})
"""Counts that a row has even where they are none."""
ATTEMPTS = 100_000
"""More than deliveries of a message: the rows of a later correction hide those of earlier ones."""
NOT_INPUT = [field for field, unit in UNITS.items() if total_of(unit).rate != "input"]


def event_row(
    event: AnyEvent, cost: Cost | None, attempt: int, now: datetime, request: str = ""
) -> EventRow:
    """Return the event's row: texts to Properties, numbers to Measurements, nothing twice.

    attempt: 1 for a first delivery; a repeat carries its number, because it may stand twice.
    request: the traceparent of the request that brought it, whose trace it is in if it names none.
    """
    text = {"id": event.id, "source": event.source}
    numbers = dict[str, float]()
    for key, value in _stated(event, cost).items():
        if value is None or value == ():
            continue
        if key in TEXTS_KEPT:
            text[key] = value if isinstance(value, str) else _joined(value)
        elif key in NUMBERS_KEPT:
            numbers[key] = float(cast("float", value))
    time = nearest(event.time, now)
    if time != event.time:
        text["occurred_at"] = event.time.astimezone(UTC).isoformat()
    if attempt > 1:
        numbers[ATTEMPT] = float(attempt)
    trace = read_traceparent(event.traceparent or "") or read_traceparent(request)
    return EventRow(event.type, time, text, numbers, trace.trace_id, trace.span_id)


def corrected_row(correction: Correction, attempt: int, now: datetime) -> EventRow:
    """Return the row that UsageEvents shows in place of the earlier ones of a call."""
    before, report = correction.before.cost, correction.report.event
    row = event_row(correction.event, correction.cost, 1, now)
    text = {
        **row.text,
        "reason": f"{', '.join(correction.learnt)} as a later report stated",
        "who": f"{report.source} {report.id}",
        "old_cost_status": before.status if before else "",
        "old_cost_usd": plain(before.usd) if before and before.usd is not None else "",
    }
    filled = {key: value for key, value in text.items() if value}
    numbers = {
        **row.numbers,
        "revision": float(correction.number),
        ATTEMPT: float(correction.number * ATTEMPTS + attempt),
    }
    return replace(row, time=correction.at.astimezone(UTC), text=filled, numbers=numbers)


def _joined(value: object) -> str:
    """Write several texts as one, as `cost_missing` is written."""
    return ",".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value)


def _stated(event: AnyEvent, cost: Cost | None) -> dict[str, object]:
    """Return everything that the event and its price say, by column key."""
    data = event.data
    stated: dict[str, object] = {**vars(data), "subject": event.subject}
    if isinstance(data, LlmCall):
        if used := data.usage:
            stated |= {k: v for k, v in vars(used).items() if v or k in TOTALS}
        stated["cost_usd"] = None
        stated["stated_cost_usd"] = data.cost_usd
    if cost is not None:
        stated["cost_usd"] = cost.usd
        stated["cost_status"] = cost.status
        stated["cost_source"] = cost.source
        stated["cost_missing"] = cost.missing
    return stated


class Prices(Protocol):
    """Knows what a model call cost."""

    def price(self, call: LlmCall, at: datetime) -> Cost:
        """Return the cost of the call at the prices of that moment."""
        ...


@dataclass(frozen=True, slots=True)
class PricedSpan:
    """A span that is this message's to write.

    event_key: the claim of its event, "" where it has none. call, at, cost: of a model call.
    """

    span: CarriedSpan
    event_key: str = ""
    call: LlmCall | None = None
    at: datetime = EPOCH
    cost: Cost | None = None


def without_event(message: Message) -> Iterator[CarriedSpan]:
    """Yield the spans that report nothing of their own, and are claimed by themselves."""
    events = {(event.source, event.id) for event in message.events}
    return (span for span in message.spans if (span.source, span.id) not in events)


class Spans:
    """Sends spans, and remembers which were taken where Azure Monitor did not take them all."""

    def __init__(self, claims: Claims, exporter: Exporter, prices: Prices) -> None:
        self._claims = claims
        self._exporter = exporter
        self._prices = prices

    def export(self, spans: Sequence[PricedSpan], holder: str, attempt: int, now: datetime) -> int:
        """Send the spans; return how many Azure Monitor refused for good.

        holder: the message that carries them. attempt: 1 for its first delivery.
        Raises:
            RetryLater: not all were taken; the next attempt sends the others.
        """
        done = self._claims.is_done(s.span.key for s in spans) if attempt > 1 else set[str]()
        sent = [s for s in spans if s.span.key not in done]
        outcomes = self._exporter.spans([self._row(s, attempt, now) for s in sent]) if sent else ()
        if any(isinstance(outcome, ExportLater) for outcome in outcomes):
            pairs = zip(sent, outcomes, strict=True)
            over = {s.span.key: holder for s, o in pairs if not isinstance(o, ExportLater)}
            self._claims.claim(over, now, seen_before=False)
            self._claims.done(over)
        raise_if_later("span", outcomes)
        return sum(isinstance(outcome, ExportRefused) for outcome in outcomes)

    def _row(self, priced: PricedSpan, attempt: int, now: datetime) -> SpanRow:
        span = priced.span
        text = {name: _text(value) for name, value in span.attributes.items()}
        if attempt > 1:
            text["agentmeter.attempt"] = str(attempt)
        start = EPOCH + timedelta(microseconds=span.start_ns // 1000)
        return SpanRow(
            name=span.name,
            time=nearest(start, now),
            duration=timedelta(microseconds=span.duration_ns // 1000),
            text={**text, **self._costs(priced)},
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=span.parent_id,
            role=span.role,
            client=span.client,
            failed=span.failed,
        )

    def _costs(self, priced: PricedSpan) -> Mapping[str, str]:
        """Return what the portal's view of agents adds up; an unknown cost is left out."""
        cost = priced.cost
        if cost is None or priced.call is None:
            return {}
        status = {"agentmeter.cost_status": cost.status}
        if cost.usd is None:
            return status
        of_input = min(self._of_input(priced.call, priced.at, cost), cost.usd)
        return status | {
            "microsoft.gen_ai.cost.input": f"{of_input:f}",
            "microsoft.gen_ai.cost.output": f"{cost.usd - of_input:f}",
        }

    def _of_input(self, call: LlmCall, at: datetime, cost: Cost) -> Decimal:
        """Return what the input alone would have cost: rates depend on its size, not on the output.

        Of a cost that the sender reported, the parts are not known: all of it stands for output.
        """
        if call.usage is None or cost.status == "reported":
            return Decimal(0)
        asked = call.usage.model_copy(update=dict.fromkeys(NOT_INPUT, 0))
        return self._prices.price(call.model_copy(update={"usage": asked}), at).usd or Decimal(0)


def _text(value: str | bool | int | float) -> str:
    """Write a value as JSON does, not as Python does."""
    return str(value).lower() if isinstance(value, bool) else str(value)
