"""Counts what became of a message, as agentmeter's own metrics."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.events.identity import event_key
from shared.events.message import UNREAD_OF, Message
from shared.events.types import AnyEvent
from shared.metrics.derive import Measure
from shared.metrics.metric import Metric
from shared.metrics.own import (
    ACCEPTED,
    CONTRADICTING,
    DUPLICATES,
    EVENT_LAG,
    EVENTS,
    EXPORT_ITEMS,
    OTLP,
    QUEUE_AGE,
    REFUSED,
    SPANS,
    UNREAD_SCOPES,
)
from shared.metrics.points import Counted

SOURCE = "agentmeter"
LATE_S, AHEAD_S = 30, 5
"""How far the time of an event may be from its receipt before its sender is named."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message.

    kept, refused: the claim keys of its events that Azure Monitor took, and will never take.
    corrections: those of events that corrected a call that was counted before.
    contradicting: how many stated other counts than such a call.
    spans, spans_lost: how many were its own to send, and how many of these were refused.
    """

    kept: Collection[str]
    refused: Collection[str]
    corrections: Collection[str]
    contradicting: int
    spans: int
    spans_lost: int


def counts(message: Message, fate: Fate, now: datetime) -> Iterator[Measure]:
    """Yield the measures of a message that ends here; none for what did not occur."""
    fates = Counter(_events(message, fate))
    spans = Counter(
        exported=fate.spans - fate.spans_lost,
        refused=fate.spans_lost,
        duplicate=len(message.spans) - fate.spans,
    )
    events = Counter[str]()
    for (_, outcome), count in fates.items():
        events[outcome] += count
    duplicates = events["duplicate"]
    items = {outcome: events[outcome] + spans[outcome] for outcome in ("exported", "refused")}
    items["exported"] += events["correction"]
    amounts = [
        *((EVENTS, values, count) for values, count in fates.items()),
        *((SPANS, (outcome,), count) for outcome, count in spans.items()),
        *((EXPORT_ITEMS, (outcome,), count) for outcome, count in items.items()),
        (DUPLICATES, (), duplicates),
        (CONTRADICTING, (), fate.contradicting),
        *_of_the_request(message),
    ]
    for metric, values, amount in amounts:
        if amount:
            yield _measure(metric, values, amount, now)
    yield _measure(QUEUE_AGE, (), (now - message.received_at).total_seconds(), now)


def lateness(events: Iterable[AnyEvent], received_at: datetime) -> Iterator[Measure]:
    """Yield how late the latest event of each source is, where that is more than the way here
    takes, or its clock is ahead."""
    latest: dict[str, datetime] = {}
    for event in events:
        latest[event.source] = max(latest.get(event.source, event.time), event.time)
    for source, at in latest.items():
        late_s = (received_at - at).total_seconds()
        if not -AHEAD_S <= late_s <= LATE_S:
            yield _measure(EVENT_LAG, (source,), late_s, received_at)


def items_later(count: int) -> Counted:
    """Return the point of items that Azure Monitor wants once more."""
    return Counted(EXPORT_ITEMS.name, (("outcome", "later"),), Decimal(count))


def _of_the_request(message: Message) -> Iterator[tuple[Metric, tuple[str, ...], int]]:
    """Count what was posted; what an operator put back was counted when it came first."""
    if message.is_posted:
        yield ACCEPTED, (), len(message.events)
        yield from ((REFUSED, (reason,), count) for reason, count in message.refused.items())
        for named, count in message.otlp.items():
            outcome, _, of = named.partition(" ")
            if metric := UNREAD_SCOPES if outcome == UNREAD_OF else OTLP.get(outcome):
                yield metric, (of,), count


def _events(message: Message, fate: Fate) -> Iterator[tuple[str, str]]:
    """Yield each event's type, and whether it was exported, refused or a duplicate."""
    seen: set[str] = set()
    for event in message.events:
        key = event_key(event)
        outcome = "exported" if key in fate.kept else "refused" if key in fate.refused else ""
        outcome = "correction" if key in fate.corrections else outcome
        yield event.type, "duplicate" if key in seen or not outcome else outcome
        seen.add(key)


def _measure(metric: Metric, values: tuple[str, ...], amount: float, now: datetime) -> Measure:
    return Measure(metric, values, amount, 1, SOURCE, now)
