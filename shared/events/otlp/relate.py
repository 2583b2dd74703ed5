"""Relates spans: finds the owner of each, and those that report one and the same call.

Each span is visited a fixed number of times, however deep they lie; a circle of parents is cut.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from shared.events.otlp.owner import INHERITED, Owner
from shared.events.otlp.record import Record
from shared.events.otlp.twins import groups_of, same_size

Key = tuple[str, str]
MOST_ERRORS = 8
"""Kinds of errors that a span hands on of what lies below it: a deep chain stays linear."""

NOTHING: Owner = MappingProxyType({})
NO_OUTERS: Mapping[bool, "Node"] = MappingProxyType({})


@dataclass(slots=True, eq=False)
class Node:
    """A span among the others.

    line: what it and those above say of its owner, the nearest first. agent, agent_id: of the
    nearest agent, itself included. main_agent: the agent at the top, None without the root.
    outers: the nearest model call around it, by whether it makes vectors.
    came_from_below: its error came up from below.
    calls: it is the span that reports its call. twins: other spans of that call.
    sums_its_calls: it is an agent that counts the model calls below it.
    inners: calls just inside it, of its kind. reporter: the span that reports the
    call.
    """

    record: Record
    parent: "Node | None" = None
    line: Owner = field(default_factory=lambda: NOTHING)
    agent: Owner = field(default_factory=lambda: NOTHING)
    main_agent: str | None = None
    outers: Mapping[bool, "Node"] = field(default_factory=lambda: NO_OUTERS)
    has_root: bool = False
    inner_counts: bool = False
    inners: list["Node"] = field(default_factory=list["Node"])
    calls_models: bool = False
    covered: bool = False
    came_from_below: bool = False
    calls: bool = False
    twins: list["Node"] = field(default_factory=list["Node"])
    reporter: "Node | None" = None
    sums_its_calls: bool = False
    errors_below: set[str] = field(default_factory=set[str])


def relate(records: Sequence[Record]) -> Mapping[Key, Node]:
    """Return each span with its place among the others, the same in whichever order they come."""
    by_key = {record.key: record for record in records}
    nodes = {key: Node(by_key[key]) for key in sorted(by_key)}
    order = list(_from_the_top(nodes))
    for node in order:
        _inherit(node)
    for node in reversed(order):
        _report(node)
    for node in order:
        _decide(node)
    for node in reversed(order):
        _join_inner(node)
    for leader, *others in groups_of([node.record for node in order if node.calls]):
        for other in others:
            _join(nodes[leader.key], nodes[other.key])
    return nodes


def _from_the_top(nodes: Mapping[Key, Node]) -> Iterator[Node]:
    """Yield each node after its parent; where parents run in a circle, one of them is a root."""
    placed = set[Key]()
    for first in nodes:
        line: dict[Key, Node] = {}
        key: Key = first
        while key in nodes and key not in placed and key not in line:
            line[key] = nodes[key]
            key = line[key].record.parent_key
        above = nodes[key] if key in placed else None
        for key, one in reversed(line.items()):
            one.parent = above
            above = one
            placed.add(key)
            yield one


def _inherit(node: Node) -> None:
    """Take over from the parent what the span does not say itself."""
    record, parent = node.record, node.parent
    own = record.own
    node.line = {name: own[name] for name in INHERITED if name in own}
    is_named_agent = record.role == "agent" and "agent" in own
    node.agent = own if is_named_agent else NOTHING
    node.main_agent = own.get("agent")
    node.has_root = not record.parent_id
    if parent is None:
        return
    node.line = {**parent.line, **node.line} if node.line else parent.line
    node.agent = node.agent or parent.agent
    node.has_root = parent.has_root
    node.main_agent = parent.main_agent or node.main_agent
    node.outers = parent.outers
    if parent.record.role == "model":
        node.outers = {**parent.outers, parent.record.is_embedding: parent}


def _report(node: Node) -> None:
    """Report calls and errors to the span above; those below have reported already."""
    record, parent = node.record, node.parent
    node.came_from_below = bool(
        record.error and (record.error in node.errors_below or _is_vague(record, node))
    )
    is_call = record.role == "model"
    outer = node.outers.get(record.is_embedding) if is_call else None
    if outer is not None:
        outer.inners.append(node)
        outer.inner_counts |= record.is_counted or node.inner_counts
    if parent is None:
        return
    parent.calls_models |= is_call or node.calls_models
    if record.error and record.role:
        parent.errors_below.add(record.error)
    parent.errors_below.update(sorted(node.errors_below)[:MOST_ERRORS])


def _is_vague(record: Record, node: Node) -> bool:
    return record.error == "error" and bool(node.errors_below)


def _decide(node: Node) -> None:
    """Decide whether the span is the record of a model call.

    A framework's span around that of the client library is the same call: the inner one counts,
    unless the outer alone knows what was used.
    """
    record = node.record
    if record.role == "agent":
        node.sums_its_calls = record.stands_alone and not record.remote
        node.calls = record.remote and record.is_counted and not node.calls_models
    if record.role != "model":
        return
    outer = node.outers.get(record.is_embedding)
    node.covered = outer is not None and (outer.covered or _reports_for_all(outer))
    inner_reports = bool(node.inners) and (node.inner_counts or not record.is_counted)
    repeats = inner_reports or (node.covered and not record.error)
    node.calls = not (repeats or record.superseded)


def _join_inner(node: Node) -> None:
    """Let a span around one call of its size, or the other way round, add what it alone knows."""
    if node.record.role != "model" or len(node.inners) != 1:
        return
    (inner,) = node.inners
    if node.calls and not inner.calls:
        node.twins.append(inner)
    elif (
        not node.calls and (inner.calls or inner.reporter) and same_size(node.record, inner.record)
    ):
        node.reporter = inner.reporter or inner
        node.reporter.twins.append(node)


def _join(leader: Node, other: Node) -> None:
    leader.twins += [other, *other.twins]
    other.calls = False
    other.reporter = leader
    other.came_from_below |= bool(other.record.error and leader.record.error)


def _reports_for_all(node: Node) -> bool:
    return bool(node.inners) and node.record.is_counted and not node.inner_counts
