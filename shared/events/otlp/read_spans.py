"""Turns the spans of a request into events, each with the span that is written beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.events.envelope import judge
from shared.events.message import Parcel
from shared.events.otlp.call import EPOCH, LATEST_NS, Call, call_of, duration_s, status_of
from shared.events.otlp.carry import carried
from shared.events.otlp.names import TOOL, error_type, operation_of, provider_of
from shared.events.otlp.seen import Seen, see
from shared.events.otlp.span import Span
from shared.events.otlp.tree import SpanTree
from shared.events.otlp.who import who

MESSAGE_CHARS = 1024
NAME_CHARS = 80

Draft = dict[str, object]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a request's spans.

    parcels: a span each, with the events that it reports. ignored: spans of other matters.
    refused: why a span was not taken, one for each. mended: what was put right in others.
    """

    parcels: tuple[Parcel, ...]
    ignored: int
    refused: tuple[str, ...]
    mended: tuple[str, ...]


def read_spans(spans: Sequence[Span], received_at: datetime, content_chars: int) -> Reading:
    """Return the events of the spans: model calls, agents' and tools' work, errors.

    An event's id follows from its span, so that a request sent again brings the same events.
    content_chars: how much of a text attribute the spans keep; 0 keeps no content.
    """
    tree = SpanTree(spans)
    parcels: list[Parcel] = []
    refused: list[str] = []
    mended: list[str] = []
    seen = [see(span, tree) for span in {span.key: span for span in spans}.values()]
    known = [one for one in seen if one is not None]
    for one in known:
        name = one.span.name[:NAME_CHARS]
        call = call_of(one.span) if one.calls else None
        events, refusals = judge(list(_drafts(one, call)), received_at)
        if refusals:
            refused.append(f"{name}: {refusals[0].error}")
            continue
        span = carried(one, call, received_at, content_chars)
        parcels.append(Parcel(tuple(events), (span,)))
        mended.extend(f"{name}: {note}" for note in (call.mended if call else ()))
    return Reading(tuple(parcels), len(seen) - len(known), tuple(refused), tuple(mended))


def _drafts(seen: Seen, call: Call | None) -> Iterator[Draft]:
    """Yield the events of the span as JSON values; the call, if there is one, has the span's id."""
    span = seen.span
    if call:
        yield _draft(seen, "llm.call", call.data, seen.id)
    if seen.role == "agent":
        suffix = ":agent" if call else ""
        yield _draft(seen, "agent.operation", _agent_data(seen), seen.id + suffix)
    if seen.role == "tool":
        yield _draft(seen, "task.operation", _tool_data(span), seen.id)
    failure = error_type(span)
    if failure and not seen.tree.error_told_below(span):
        message = span.message[:MESSAGE_CHARS] or None
        error: Draft = {"component": _component(seen), "error_type": failure, "message": message}
        yield _draft(seen, "error", error, f"{seen.id}:error")


def _draft(seen: Seen, kind: str, data: Draft, id: str) -> Draft:
    span = seen.span
    at_ns = span.end_ns or span.start_ns
    stated = {**who(span, seen.tree), **data}
    return {
        "id": id,
        "source": seen.source,
        "type": kind,
        "time": _moment(at_ns) if at_ns else None,
        "traceparent": f"00-{span.trace_id}-{span.span_id}-01",
        "data": {name: value for name, value in stated.items() if value is not None},
    }


def _agent_data(seen: Seen) -> Draft:
    stated = who(seen.span, seen.tree)
    name = stated["agent_type"] or seen.tree.workflow(seen.span) or seen.span.name or "unknown"
    return {
        "agent_type": name,
        "operation": operation_of(seen.span),
        "status": status_of(seen.span),
        "duration_s": duration_s(seen.span) or 0.0,
    }


def _tool_data(span: Span) -> Draft:
    name = f"{operation_of(span)} {span.text(*TOOL) or ''}".strip()
    return {"operation": name, "status": status_of(span)}


def _component(seen: Seen) -> str:
    """Return what failed, as few words as a label can bear."""
    span = seen.span
    if seen.role == "model":
        return provider_of(span)
    if seen.role == "tool":
        return span.text(*TOOL) or operation_of(span)
    if seen.role == "agent":
        return str(_agent_data(seen)["agent_type"])
    return span.name or "unknown"


def _moment(ns: int) -> datetime:
    return EPOCH + timedelta(microseconds=min(ns, LATEST_NS) // 1000)
