"""Claims a message's events: which are its own to count, and which correct what was counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.claim_ports import Claims
from shared.events.carried_span import CarriedSpan
from shared.events.identity import event_key
from shared.events.message import Message
from shared.events.types import AnyEvent, LlmCall
from shared.pricing.cost import Cost
from shared.usecases.processing.claim_note import REPEATED, ClaimNote, Rivals, note_of
from shared.usecases.processing.correct import Correct, Correction, Report, counted_instead
from shared.usecases.processing.place_spans import Placed
from shared.usecases.processing.rows import PricedSpan, Prices, without_event

NONE = Rivals()


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
        mine: dict[str, Claimed] = {}
        reports: list[Report] = []
        for event, cost in zip(message.events, costs, strict=True):
            key = event_key(event)
            is_mine = holders[key] == message.id and key not in mine
            other = counted_instead(key, views[key], holders) if is_mine else None
            if is_mine and other is None:
                mine[key] = Claimed(event, cost, key)
            elif isinstance(event.data, LlmCall):
                first = (other,) if other else (key, *placed.twins(key))
                reports.append(Report(event, key, first, other in views[key].around))
        found = self._correct.correct(reports, message.id, attempt, now)
        for event, cost in zip(message.events, costs, strict=True):
            if (key := event_key(event)) in found.apart and holders[key] == message.id:
                mine.setdefault(key, Claimed(event, cost, key))
        spans = [PricedSpan(span) for span in bare if holders[span.key] == message.id]
        spans += _priced_spans(message, mine.values())
        corrected = (Claimed(one.event, one.cost, one.key, one) for one in found.corrections)
        return Mine([*mine.values(), *corrected], spans, found.contradicting)

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
        wanted = {span.key: holder for span in bare}
        wanted |= {key: REPEATED if key in placed.repeated else holder for key in views}
        deciding = {key: view for key, view in views.items() if key not in placed.repeated}
        for key, view in deciding.items():
            for claim, wanted_by in view.claims(key).items():
                wanted.setdefault(claim, wanted_by)
        texts = {key: text for key, view in deciding.items() if (text := view.text())}
        holders = self._claims.claim(wanted, now, seen_before=attempt > 1, notes=texts)
        if attempt == 1:
            return holders, views
        mine = [key for key in views if holders[key] == holder]
        first = {**views, **self._correct.kept(mine)}
        needed = {c: by for key in mine for c, by in first[key].claims(key).items()}
        more = {claim: by for claim, by in needed.items() if claim not in holders}
        taken = self._claims.claim(more, now, seen_before=True)
        return {**holders, **taken}, first

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


def _priced_spans(message: Message, claimed: Iterable[Claimed]) -> Iterator[PricedSpan]:
    """Yield the spans of the claimed events."""
    mine = {(c.event.source, c.event.id): c for c in claimed}
    for span in message.spans:
        if c := mine.get((span.source, span.id)):
            call = c.event.data if isinstance(c.event.data, LlmCall) else None
            yield PricedSpan(span, c.key, call, c.event.time, c.cost)
