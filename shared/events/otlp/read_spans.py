"""Turns the spans of a request into events, each with the span that is written beside it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.events.envelope import judge
from shared.events.message import Parcel
from shared.events.otlp.carry import EPOCH, LATEST_NS, carried
from shared.events.otlp.record import Call, Record, Services, record_of
from shared.events.otlp.relate import Key, Node, relate
from shared.events.otlp.span import MAX_CHARS, Span
from shared.events.otlp.tell import Owned, call_data, owner_of, status_of
from shared.events.otlp.twins import merged

MESSAGE_CHARS = 1024
NAME_CHARS = 80
SHORTEST_CALL_S = 0.05
"""What takes less is around no model call."""

Draft = dict[str, object]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a request's spans.

    parcels: a span each, with the events that it reports. ignored: spans of other matters.
    refused: why a span was not taken, one for each. corrected: what was corrected in others.
    unread: scope → how many of its spans have counts of tokens that no dialect understands.
    sampled: how many spans are of traces of which the sender keeps a share only.
    read: how many spans report a model's work.
    """

    parcels: tuple[Parcel, ...]
    ignored: int
    refused: tuple[str, ...]
    corrected: tuple[str, ...]
    unread: Mapping[str, int] = field(default_factory=dict[str, int])
    sampled: int = 0
    read: int = 0


def read_spans(spans: Sequence[Span], received_at: datetime, content_chars: int) -> Reading:
    """Return the events of the spans: model calls, agents' and tools' work, errors.

    An event's id follows from its span, so that a request sent again brings the same events.
    content_chars: how much of a text attribute the spans keep; 0 keeps no content.
    """
    by_key = {span.key: span for span in spans}
    services: Services = {}
    nodes = relate([record_of(span, services) for span in by_key.values()])
    parcels: list[Parcel] = []
    refused: list[str] = []
    corrected: list[str] = []
    for key, span in by_key.items():
        node = nodes[key]
        if not node.record.role or (span.is_log and node.record.role == "other"):
            continue
        name = span.name[:NAME_CHARS]
        call, owner = call_of(node), owner_of(node)
        events, refusals = judge(list(_drafts(span, node, call, owner)), received_at)
        if refusals:
            refused.append(f"{name}: {refusals[0].error}")
            continue
        agent = owner["agent_type"]
        shown = (
            (carried(span, node, call, agent, received_at, content_chars),)
            if _is_shown(node)
            else ()
        )
        known = (node.record,) if node.record.places else ()
        parcels.append(Parcel(tuple(events), shown, known))
        corrected.extend(f"{name}: {note}" for note in (call.notes if call else ()))
    parcels.extend(Parcel((), (), (record,)) for record in _links(nodes))
    others = [span for span in by_key.values() if not nodes[span.key].record.role]
    unread = Counter(span.scope or "unnamed" for span in others if _counts_something(span))
    return Reading(
        parcels=tuple(parcels),
        ignored=len(others),
        refused=tuple(refused),
        corrected=tuple(corrected),
        unread=dict(sorted(unread.items())),
        sampled=sum(span.is_sampled for span in by_key.values()),
        read=sum(bool(parcel.events or parcel.spans) for parcel in parcels),
    )


def _is_shown(node: Node) -> bool:
    """Return whether a span is written beside the events; a log, if it reports a trace's call."""
    return not node.record.is_log or (node.calls and not node.record.is_unlinked)


def call_of(node: Node) -> Call | None:
    """Return the model call that the span is the record of, with what its twins know of it."""
    call = node.record.call if node.calls else None
    if call is None:
        return None
    call = merged(call, [twin.record.call for twin in node.twins if twin.record.call])
    around = node.line.get("model_around")
    return replace(call, model=around) if around and not call.model else call


def _links(nodes: Mapping[Key, Node]) -> Iterator[Record]:
    """Yield what other spans say that may stand between ours, or name their owner.

    Ours may be in other requests: a span that took long enough may be around them.
    """
    traces = {node.record.trace_id for node in nodes.values() if node.record.role}
    for node in nodes.values():
        record = node.record
        if record.role or record.is_log:
            continue
        is_long = record.duration_s is None or record.duration_s >= SHORTEST_CALL_S
        is_around = record.is_inner and (is_long or record.trace_id in traces)
        if record.own or is_around:
            yield record


def _counts_something(span: Span) -> bool:
    """Return whether a span of no known dialect seems to count tokens."""
    return any(
        "token" in name.lower() and not isinstance(value, str | bool) and value > 0
        for name, value in span.attributes.items()
    )


def _drafts(span: Span, node: Node, call: Call | None, owner: Owned) -> Iterator[Draft]:
    """Yield the events of the span as JSON values; the call, if there is one, has the span's id."""
    record = node.record
    id = id_of(record)
    if call:
        yield call_draft(record, call, owner)
    end_ns = record.end_ns or record.start_ns
    if record.role == "agent":
        suffix = ":agent" if call else ""
        data = _agent_data(span, node, owner)
        yield _draft(record, "agent.operation", data, owner, id + suffix, end_ns)
    if record.role == "tool":
        name = f"{record.operation} {record.tool or ''}".strip()
        task: Draft = {
            "operation": name,
            "status": status_of(record),
            "call_id": record.tool_call,
        }
        yield _draft(record, "task.operation", task, owner, id, end_ns)
    if record.error and not node.came_from_below:
        message = span.message[:MESSAGE_CHARS] or None
        component = _component(span, node, owner)
        error: Draft = {"component": component, "error_type": record.error, "message": message}
        yield _draft(record, "error", error, owner, f"{id}:error", end_ns)


def call_draft(record: Record, call: Call, owner: Owned, suffix: str = "") -> Draft:
    """Return the call of a span as JSON values; suffix: of its id."""
    data = call_data(record, call)
    return _draft(record, "llm.call", data, owner, id_of(record) + suffix, record.begin_ns)


def _draft(record: Record, kind: str, data: Draft, owner: Owned, id: str, at_ns: int) -> Draft:
    stated = {**owner, **data}
    return {
        "id": id,
        "source": record.source,
        "type": kind,
        "time": moment(at_ns) if at_ns else None,
        "traceparent": _traceparent(record),
        "data": {name: value for name, value in stated.items() if value is not None},
    }


def _traceparent(record: Record) -> str | None:
    """Name the span that the event is of; a log record's is the one in which it was written."""
    span_id = record.parent_id if record.is_log else record.span_id
    return f"00-{record.trace_id}-{span_id}-01" if span_id else None


def id_of(record: Record) -> str:
    """Name what the span reports, the same whenever it is sent."""
    return f"{record.trace_id}:{record.span_id}"


def _agent_data(span: Span, node: Node, owner: Owned) -> Draft:
    name = owner["agent_type"] or node.line.get("workflow") or span.name or "unknown"
    return {
        "agent_type": str(name)[:MAX_CHARS],
        "operation": node.record.operation,
        "status": status_of(node.record),
        "duration_s": node.record.duration_s or 0.0,
    }


def _component(span: Span, node: Node, owner: Owned) -> str:
    """Return what failed, as few words as a label can bear."""
    record = node.record
    if record.role == "model":
        return record.call.provider if record.call else "unknown"
    if record.role == "tool":
        return record.tool or record.operation
    if record.role == "agent":
        return str(_agent_data(span, node, owner)["agent_type"])
    return span.name[:MAX_CHARS] or "unknown"


def moment(ns: int) -> datetime:
    """Return the moment so many nanoseconds after 1970; the latest there is where that is later."""
    return EPOCH + timedelta(microseconds=min(ns, LATEST_NS) // 1000)
