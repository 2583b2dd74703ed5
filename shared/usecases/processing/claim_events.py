"""Claims a message's events: which are its own to count, and which correct what was counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from shared.claim_ports import Claims
from shared.errors import RetryLater
from shared.events.carried_span import CarriedSpan
from shared.events.identity import event_key
from shared.events.message import Message
from shared.events.types import AnyEvent, LlmCall
from shared.pricing.cost import Cost
from shared.usecases.processing.claim_note import (
    REPEATED,
    ClaimNote,
    Rivals,
    note_of,
    repeated_by,
)
from shared.usecases.processing.correct import Correct, Correction, Report
from shared.usecases.processing.counted_under import Counted, CountedUnder, Known, on_behalf
from shared.usecases.processing.place_spans import Placed
from shared.usecases.processing.rows import PricedSpan, Prices, without_event

NONE = Rivals()
PATIENT = 3
"""Deliveries of a report that wait for the claim of its call, whose own message makes it now."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that is this message's to carry.

    key: of its claim. correction: where it is a call that was counted before, corrected.
    """

    event: AnyEvent
    cost: Cost | None
    key: str
    correction: Correction | None = None

    @property
    def reported(self) -> AnyEvent:
        """Return the event as it came."""
        return self.correction.report.event if self.correction else self.event


@dataclass(frozen=True, slots=True)
class Mine:
    """What is this message's to carry.

    contradicting: how many reports state other counts than the calls that they are of.
    """

    events: list[Claimed]
    spans: list[PricedSpan]
    contradicting: int = 0


class ClaimEvents:
    """Decides by claims alone, which never change: a redelivery decides the same."""

    def __init__(self, claims: Claims, prices: Prices) -> None:
        self._claims = claims
        self._prices = prices
        self._counted = CountedUnder(claims)
        self._correct = Correct(claims, prices.price)

    def take(self, placed: Placed, attempt: int, now: datetime) -> Mine:
        """Return the events and spans that no other message carries, priced.

        Raises:
            RetryLater: the store did not answer.
        """
        message = placed.message
        costs = [self._price(event) for event in message.events]
        bare = list(without_event(message))
        views = _views(placed, costs, now)
        holders, views = self._claim(placed, views, bare, attempt, now)
        own = {key for key in views if holders[key] == message.id}
        counted = self._counted_under(own, message, views, holders, now)
        mine: dict[str, Claimed] = {}
        reports: list[Report] = []
        for event, cost in zip(message.events, costs, strict=True):
            key = event_key(event)
            under = counted.get(key)
            if key in own - mine.keys() and (under is None or under.key == key):
                mine[key] = Claimed(event, cost, key)
            elif under and isinstance(event.data, LlmCall):
                reports += _report(event, key, under, attempt <= PATIENT and placed.awaits(key))
        corrections, contradicting = self._correct.correct(reports, message.id, now)
        spans = [PricedSpan(span) for span in bare if holders[span.key] == message.id]
        spans += _priced_spans(message, mine.values())
        corrected = (Claimed(one.event, one.cost, one.key, one) for one in corrections)
        return Mine([*mine.values(), *corrected], spans, contradicting)

    def _claim(
        self,
        placed: Placed,
        views: Mapping[str, ClaimNote],
        bare: Sequence[CarriedSpan],
        attempt: int,
        now: datetime,
    ) -> tuple[Mapping[str, str], Mapping[str, ClaimNote]]:
        """Return who holds each claim, and by what each of the message's events is decided: of a
        redelivery by what its first delivery knew, for others go by that."""
        holder = placed.message.id
        deciding = {key: view for key, view in views.items() if key not in placed.repeated}
        deciders: dict[str, str] = {}
        for key, view in deciding.items():
            for claim in view.claims(key):
                deciders.setdefault(claim, key)
        own = {key: REPEATED if key in placed.repeated else holder for key in views}
        others, notes = on_behalf({c: k for c, k in deciders.items() if c not in own}, views)
        wanted = {**dict.fromkeys((span.key for span in bare), holder), **own, **others}
        texts = {**notes, **_texts(placed, deciding)}
        holders = self._claims.claim(wanted, now, seen_before=attempt > 1, notes=texts)
        if attempt == 1:
            return holders, views
        return holders, {**views, **self._correct.kept(k for k in views if holders[k] == holder)}

    def _counted_under(
        self,
        own: Set[str],
        message: Message,
        views: Mapping[str, ClaimNote],
        holders: Mapping[str, str],
        now: datetime,
    ) -> Mapping[str, Counted]:
        """Return under which claim each event is counted: most are under their own, as no other
        was in the way."""
        free = {
            key: Counted(key, views[key])
            for key in own
            if all(holders.get(c) == by for c, by in views[key].claims(key).items())
        }
        calls = {event_key(one) for one in message.events if isinstance(one.data, LlmCall)}
        known = Known({key: views[key] for key in own}, dict(holders))
        return {**free, **self._counted.find((own | calls) - free.keys(), known, now)}

    def _price(self, event: AnyEvent) -> Cost | None:
        """Price a model call at its own time."""
        if isinstance(event.data, LlmCall):
            return self._prices.price(event.data, event.time)
        return None


def _views(placed: Placed, costs: Sequence[Cost | None], now: datetime) -> Mapping[str, ClaimNote]:
    """Return what is known of each event that decides whether it is counted; of two with one
    identity, of the first."""
    views: dict[str, ClaimNote] = {}
    for event, cost in zip(placed.message.events, costs, strict=True):
        key = event_key(event)
        if key not in views:
            rivals = NONE if key in placed.repeated else placed.rivals.get(key, NONE)
            views[key] = note_of(event, cost, rivals, now)
    return views


def _report(event: AnyEvent, key: str, under: Counted, waits: bool) -> Sequence[Report]:
    """Return the report that the event is of the call that it is counted under, none where that
    includes others.

    Raises:
        RetryLater: the call's own message claims it just now, and the report waits for it.
    """
    if under.note is None and waits:
        raise RetryLater("A call is being counted that a report adds to.")
    if under.note is None or under.is_covered:
        return ()
    return [Report(event, key, under.key, under.note)]


def _texts(placed: Placed, deciding: Mapping[str, ClaimNote]) -> Mapping[str, str]:
    """Return the notes of the message's own claims."""
    repeated = {key: repeated_by(by, is_around=False) for key, by in placed.repeated.items()}
    return {k: text for k, note in {**repeated, **deciding}.items() if (text := note.text())}


def _priced_spans(message: Message, claimed: Iterable[Claimed]) -> Iterator[PricedSpan]:
    """Yield the spans of the claimed events."""
    mine = {(c.event.source, c.event.id): c for c in claimed}
    for span in message.spans:
        if c := mine.get((span.source, span.id)):
            call = c.event.data if isinstance(c.event.data, LlmCall) else None
            yield PricedSpan(span, c.key, call, c.event.time, c.cost)
