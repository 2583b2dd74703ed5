"""Makes the rows that tell whose work spans of earlier messages are, as learnt from a later one."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
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

Owned = tuple[tuple[str, str], ...]
"""Field → value, of what is known."""
Place = tuple[str, str, str, Owned]
"""What one row is of: source, trace, minute, owner."""


def late_owners(
    earlier: Sequence[Record], nodes: Mapping[Key, Node], now: datetime
) -> Iterator[EventRow]:
    """Yield a row for each owner of a trace that spans of earlier messages are found to have.

    earlier: what those messages said of the traces. nodes: those spans among all that are known.
    A row stands in the minute of its events, so that whole minutes have both or neither. It counts
    how many spans of the trace were known: of two rows, the one that knew more is right.
    """
    if not earlier:
        return
    now_known = _owners(nodes)
    found = defaultdict[Place, dict[str, datetime]](dict)
    for key, before in _owners(relate(earlier)).items():
        if (owner := now_known[key]) == before:
            continue
        record = nodes[key].record
        for at in _moments(record, now):
            place = (record.source, record.trace_id, f"{at:%Y%m%d%H%M}", owner)
            found[place][record.span_id] = at
    known = Counter(trace_id for trace_id, _ in nodes)
    for (source, trace_id, _, owner), spans in sorted(found.items()):
        text = {"source": source, "trace": trace_id, **dict(owner)}
        for start in range(0, len(spans), MOST_OF_A_ROW):
            part = list(spans)[start : start + MOST_OF_A_ROW]
            at = max(spans[span_id] for span_id in part)
            said = {**text, "spans": ",".join(part)}
            yield EventRow(OWNER_ROW, at, said, {"known": float(known[trace_id])}, trace_id)


def _owners(nodes: Mapping[Key, Node]) -> Mapping[Key, Owned]:
    """Return the owners of the spans that may have events; a twin's is that of the one counted."""
    leaders = {twin.record.key: node for node in nodes.values() for twin in node.twins}
    return {
        key: _stated(leaders.get(key, node))
        for key, node in nodes.items()
        if node.record.role or node.record.error
    }


def _stated(node: Node) -> Owned:
    owner = owner_of(node)
    return tuple((field, value) for field in OWNER if (value := owner[field]))


def _moments(record: Record, now: datetime) -> set[datetime]:
    """Return when its events stand in the log: a call at its begin, all else at its end."""
    begin, end = record.start_ns or record.end_ns, record.end_ns or record.start_ns
    is_call_alone = record.role == "model" and not record.error
    return {nearest(moment(ns), now) for ns in ((begin,) if is_call_alone else (begin, end)) if ns}
