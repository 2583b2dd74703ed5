"""Decides what spans report by all that is known of their traces, in whichever message it came."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from shared.claim_ports import TraceMemory
from shared.events.envelope import judge
from shared.events.identity import event_key, span_key
from shared.events.message import Message
from shared.events.otlp.read_spans import call_draft, call_of
from shared.events.otlp.record import Record
from shared.events.otlp.relate import Key, Node, relate
from shared.events.otlp.tell import owner_of
from shared.events.types import AnyEvent, LlmCall
from shared.rows import EventRow
from shared.usecases.processing.claim_note import Rivals
from shared.usecases.processing.late_owners import late_owners

MOST_RIVALS = 8
"""Calls around one that are asked for, the nearest first."""
ALONE = ":call"
"""Ends the id of the call of an agent that is the only record of it."""
ERROR = ":error"
"""Ends the id of the error that a span ended with."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A message with its events as they are known by now, and which of them repeat others.

    repeated: claim keys of events that other spans report → those of the spans that report
        the same call: they are counted only if this message counted them before.
    rivals: claim key of an event → those of others that report it: where one was counted, this is
    not.
    owners: rows of whose work events of earlier messages turn out to be.
    """

    message: Message
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    rivals: Mapping[str, Rivals] = field(default_factory=dict[str, Rivals])
    owners: Sequence[EventRow] = ()

    def twins(self, key: str) -> tuple[str, ...]:
        """Return the claim keys of the spans that report the same call."""
        return self.repeated.get(key) or self.rivals.get(key, Rivals()).twins


class PlaceSpans:
    """Remembers a message's spans, and relates them to those of earlier messages."""

    def __init__(self, memory: TraceMemory) -> None:
        self._memory = memory

    def place(self, message: Message, now: datetime) -> Placed:
        """Return the message's events, with owners that earlier messages stated.

        Raises:
            RetryLater: the memory did not answer.
        """
        if not message.records:
            return Placed(message)
        by_trace = defaultdict[str, list[Record]](list)
        for record in message.records:
            for place in record.places:
                by_trace[place].append(record)
        known = self._memory.remember(message.batch, by_trace, message.received_at)
        # What the message says itself counts, even if the memory left it out.
        everything = {record.key: record for records in known.values() for record in records}
        everything |= {record.key: record for record in message.records}
        nodes = relate(list(everything.values()))
        mine = {record.key for record in message.records}
        earlier = [record for key, record in everything.items() if key not in mine]
        whole = {record.trace_id for record in message.records}
        return _placed(message, nodes, now, tuple(late_owners(earlier, nodes, whole, now)))


def _placed(
    message: Message, nodes: Mapping[Key, Node], now: datetime, owners: Sequence[EventRow]
) -> Placed:
    events: list[AnyEvent] = []
    repeated: dict[str, tuple[str, ...]] = {}
    rivals: dict[str, Rivals] = {}
    for event in message.events:
        node = _node_of(event, nodes)
        if node is None:
            events.append(event)
            continue
        events.append(_owned(event, node))
        key = event_key(event)
        if _is_repeated(event, node):
            repeated[key] = _reporters(node)
        elif isinstance(event.data, LlmCall):
            rivals[key] = _rivals(node, nodes)
        elif event.type == "error" and node.record.role == "model":
            rivals[key] = _rivals(node, nodes, ERROR)
    for event, node in _of_agents_alone(message, nodes, now):
        events.append(event)
        rivals[event_key(event)] = _rivals(node, nodes)
    return Placed(message.model_copy(update={"events": events}), repeated, rivals, owners)


def _is_repeated(event: AnyEvent, node: Node) -> bool:
    """Return whether another span tells what the event does."""
    if isinstance(event.data, LlmCall):
        return not node.calls
    return event.type == "error" and node.came_from_below


def _node_of(event: AnyEvent, nodes: Mapping[Key, Node]) -> Node | None:
    """Return the span that the event comes from."""
    trace_id, _, rest = event.id.partition(":")
    node = nodes.get((trace_id, rest.partition(":")[0]))
    return node if node is not None and node.record.source == event.source else None


def _owned(event: AnyEvent, node: Node) -> AnyEvent:
    """Return the event with the owner that is known by now."""
    owner = {name: value for name, value in owner_of(node).items() if value is not None}
    if all(getattr(event.data, name) == value for name, value in owner.items()):
        return event
    return event.model_copy(update={"data": event.data.model_copy(update=owner)})


def _reporters(node: Node) -> tuple[str, ...]:
    """Return the claim keys of the call that the span repeats, the one that knows most first."""
    top = node
    while top.reporter is not None:
        top = top.reporter
    others = [top, *top.twins] if top is not node else []
    return tuple(_call_key(o.record, "") for o in others[:MOST_RIVALS] if o is not node)


def _rivals(node: Node, nodes: Mapping[Key, Node], of_error: str = "") -> Rivals:
    """Return what reports the same call: twins, and calls and agents around it.

    Where it hangs in the air, any agent of its trace may be around it.
    of_error: ends the ids of errors, whose keys are returned then.
    """
    around = [inner for inner in node.inners if inner not in node.twins]
    if node.record.role == "model" and not node.has_root:
        trace_id = node.record.trace_id
        same = (other for key, other in nodes.items() if key[0] == trace_id and other is not node)
        around += islice((other for other in same if other.sums_its_calls), MOST_RIVALS)
    above = node.parent
    while above is not None and len(around) < MOST_RIVALS:
        if (above.record.role == "model" and above not in node.twins) or above.sums_its_calls:
            around.append(above)
        above = above.parent
    twins, others = (
        tuple(_call_key(other.record, of_error) for other in some[:MOST_RIVALS])
        for some in (node.twins, around)
    )
    return Rivals(twins, others)


def _call_key(record: Record, of_error: str) -> str:
    """Return the claim key of the span's call; an agent's own event has the plain id."""
    suffix = ALONE if record.role == "agent" and not record.remote else ""
    return span_key(record.source, record.trace_id, record.span_id, of_error or suffix)


def _of_agents_alone(
    message: Message, nodes: Mapping[Key, Node], now: datetime
) -> Iterator[tuple[AnyEvent, Node]]:
    """Yield the calls of agents whose model calls no other span reports: their sums stand for them.

    Not where a call of the trace hangs in the air: it may be below such an agent.
    """
    mine = {record.key for record in message.records}
    loose = {
        node.record.trace_id
        for node in nodes.values()
        if node.record.role == "model" and not node.has_root
    }
    for key in sorted(mine):
        node = nodes[key]
        call = call_of(node) or node.record.call
        tells_alone = node.sums_its_calls and not node.calls_models
        if call and tells_alone and key[0] not in loose:
            events, _ = judge([call_draft(node.record, call, owner_of(node), ALONE)], now)
            yield from ((event, node) for event in events)
