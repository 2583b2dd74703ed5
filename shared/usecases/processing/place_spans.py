"""Decides what spans report by all that is known of their traces, in whichever message it came."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
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
from shared.events.otlp.twins import merged
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

    repeated: claim keys of events that other spans report → that of the one that does, "" for
        several: they are counted only if this message counted them before.
    adding: those of them that know of usage or cost what the other does not.
    rivals: claim key of an event → those of others that report it: where one was counted, this is
    not.
    owners: rows of whose work events of earlier messages turn out to be.
    """

    message: Message
    repeated: Mapping[str, str] = field(default_factory=dict[str, str])
    adding: Set[str] = frozenset()
    rivals: Mapping[str, Rivals] = field(default_factory=dict[str, Rivals])
    owners: Sequence[EventRow] = ()

    def awaits(self, key: str) -> bool:
        """Return whether the event adds something to the call that it is counted under."""
        return key not in self.repeated or key in self.adding


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
    repeated: dict[str, str] = {}
    adding = set[str]()
    rivals: dict[str, Rivals] = {}
    for event in message.events:
        node = _node_of(event, nodes)
        if node is None:
            events.append(event)
            continue
        events.append(_owned(event, node))
        key = event_key(event)
        if _is_repeated(event, node):
            reporter = _reporter(node)
            repeated[key] = _call_key(reporter.record, "") if reporter else ""
            adding |= {key} if reporter and _adds(node, reporter) else set()
        elif isinstance(event.data, LlmCall):
            rivals[key] = _rivals(node, nodes)
        elif event.type == "error" and node.record.role == "model":
            rivals[key] = _rivals(node, nodes, ERROR)
    for event, node in _of_agents_alone(message, nodes, now):
        events.append(event)
        rivals[event_key(event)] = _rivals(node, nodes)
    placed = message.model_copy(update={"events": events})
    return Placed(placed, repeated, adding, rivals, owners)


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


def _reporter(node: Node) -> Node | None:
    """Return the span that reports the call that this one repeats."""
    top = node
    while top.reporter is not None:
        top = top.reporter
    return top if top is not node else None


def _adds(node: Node, reporter: Node) -> bool:
    """Return whether the span knows of usage or cost what the reporter of its call does not."""
    mine, known = node.record.call, reporter.record.call
    if mine is None or known is None:
        return mine is not None
    both = merged(known, [mine])
    return (both.usage, both.cost_usd) != (known.usage, known.cost_usd)


def _rivals(node: Node, nodes: Mapping[Key, Node], of_error: str = "") -> Rivals:
    """Return what reports the same call: twins and what lies just inside it; calls and agents
    around it, of which some may be its twins.

    Where it hangs in the air, any agent of its trace may be around it.
    of_error: ends the ids of errors, whose keys are returned then.
    """
    inners = [inner for inner in node.inners if inner not in node.twins]
    around: list[Node] = []
    if node.record.role == "model" and not node.has_root:
        trace_id = node.record.trace_id
        same = (other for key, other in nodes.items() if key[0] == trace_id and other is not node)
        around += islice((other for other in same if other.sums_its_calls), MOST_RIVALS)
    above = node.parent
    while above is not None and len(around) < MOST_RIVALS:
        if above.record.role == "model" or above.sums_its_calls:
            around.append(above)
        above = above.parent
    twins, others = (
        tuple(_call_key(other.record, of_error) for other in some[:MOST_RIVALS])
        for some in ([*node.twins, *inners], around)
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
