"""Makes the rows that name the owner of earlier messages' spans, as learnt from a later one."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from shared.events.columns import OWNER, OWNER_ROW
from shared.events.otlp.read_spans import moment
from shared.events.otlp.record import Record
from shared.events.otlp.relate import Key, Node, relate
from shared.events.otlp.tell import owner_of
from shared.rows import EventRow
from shared.usecases.processing.exporting import nearest

MOST_OF_A_ROW = 400
"""Spans that one row names: a property holds 8,192 characters."""

WITH_EVENTS = frozenset({"model", "agent", "tool"})
"""Roles of spans that have events, also where nothing went wrong."""

Owned = tuple[tuple[str, str], ...]
"""Field → value, of what is known."""
Place = tuple[str, str, str, Owned, int]
"""What one row is of: source, trace, minute, owner, and how much was known."""


def late_owners(
    earlier: Sequence[Record], nodes: Mapping[Key, Node], whole: Collection[str], now: datetime
) -> Iterator[EventRow]:
    """Yield a row for each owner of a trace that spans of earlier messages are found to have.

    earlier: what those messages said. nodes: those spans among all that are known. whole: traces
    of which all is known that came; of others, only what lies below a root is.
    A row stands in the minute of its events, so that whole minutes have both or neither. It counts
    how many spans were known of the traces of the call: of two rows, the one that knew
    more is right.
    """
    if not earlier:
        return
    reporters = _reporters(nodes)
    sizes = Counter(trace_id for trace_id, _ in nodes)
    found = defaultdict[Place, dict[str, datetime]](dict)
    for key, before in _owners(relate(earlier)).items():
        node, reporter = nodes[key], reporters[key]
        owner = _stated(reporter)
        if owner == before or not (key[0] in whole or node.has_root):
            continue
        known = sum(sizes[trace_id] for trace_id in _traces(reporter))
        for at in _moments(node.record, now):
            place = (node.record.source, key[0], f"{at:%Y%m%d%H%M}", owner, known)
            found[place][key[1]] = at
    for (source, trace_id, _, owner, known), spans in sorted(found.items()):
        text = {"source": source, "trace": trace_id, **dict(owner)}
        for start in range(0, len(spans), MOST_OF_A_ROW):
            part = list(spans)[start : start + MOST_OF_A_ROW]
            at = max(spans[span_id] for span_id in part)
            said = {**text, "spans": ",".join(part)}
            yield EventRow(OWNER_ROW, at, said, {"known": float(known)}, trace_id)


def _owners(nodes: Mapping[Key, Node]) -> Mapping[Key, Owned]:
    """Return the owners of the spans that may have events."""
    return {
        key: _stated(reporter)
        for key, reporter in _reporters(nodes).items()
        if nodes[key].record.role in WITH_EVENTS or nodes[key].record.error
    }


def _reporters(nodes: Mapping[Key, Node]) -> Mapping[Key, Node]:
    """Return the node that reports each call: of twins, the one that knows most."""
    twins = {twin.record.key: node for node in nodes.values() for twin in node.twins}
    return {key: twins.get(key, node) for key, node in nodes.items()}


def _traces(node: Node) -> set[str]:
    return {one.record.trace_id for one in (node, *node.twins)}


def _stated(node: Node) -> Owned:
    owner = owner_of(node)
    return tuple((field, value) for field in OWNER if (value := owner[field]))


def _moments(record: Record, now: datetime) -> set[datetime]:
    """Return when its events stand in the log: a call at its begin, all else at its end."""
    begin, end = record.start_ns or record.end_ns, record.end_ns or record.start_ns
    is_call_alone = record.role == "model" and not record.error
    return {nearest(moment(ns), now) for ns in ((begin,) if is_call_alone else (begin, end)) if ns}
