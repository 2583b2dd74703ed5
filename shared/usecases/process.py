"""Turns a queue message into rows and totals, each event exactly once."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.errors import RetryLater
from shared.events.identity import event_key, response_key
from shared.events.message import Message, decode, pack
from shared.events.types import AnyEvent, LlmCall
from shared.metrics.catalogue import EVENTS, NOT_EXPORTED, SPANS
from shared.metrics.derive import (
    Admitted,
    Measure,
    bounded,
    bounded_series,
    derive,
    label_values,
    series_values,
)
from shared.metrics.points import Counted
from shared.metrics.tally import Timed, tally
from shared.ports import (
    Claims,
    Exported,
    Exporter,
    ExportLater,
    ExportRefused,
    LabelBook,
    SeriesStore,
)
from shared.pricing.cost import Cost
from shared.usecases.exporting import raise_if_later
from shared.usecases.rows import event_row, export_time, metric_row
from shared.usecases.spans import PricedSpan, Prices, Spans, without_event

SERIES_MAX = 2_000
"""Series of a metric, unless told otherwise: as many as a row of Azure Tables holds."""


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of a message.

    refused: queue texts for the poison queue: events that Azure Monitor will never take.
    again: the queue text to put back, for a message that needs more time; "" for none.
    """

    exported: int
    duplicates: int
    refused: tuple[str, ...] = ()
    again: str = ""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """An event that is this message's to carry."""

    event: AnyEvent
    cost: Cost | None
    key: str


@dataclass(frozen=True, slots=True)
class _Mine:
    """What is this message's to carry."""

    events: list[_Claimed]
    spans: list[PricedSpan]


_Refused = Mapping[str, ExportRefused]


@dataclass(frozen=True, slots=True)
class Stores:
    """What a message is remembered in."""

    claims: Claims
    series: SeriesStore
    labels: LabelBook


class Process:
    """Claims, prices, exports, counts; in this order, so that a crash anywhere can be repeated.

    A row may be exported twice when a crash falls between the export and the end of the message.
    The repeat says which attempt it is, and UsageEvents shows such an event once.
    """

    def __init__(
        self,
        stores: Stores,
        exporter: Exporter,
        prices: Prices,
        label_max_values: int,
        series_max: int = SERIES_MAX,
    ) -> None:
        """label_max_values: of a label. series_max: of a metric; what is more becomes `other`."""
        self._claims = stores.claims
        self._series = stores.series
        self._labels = stores.labels
        self._exporter = exporter
        self._prices = prices
        self._spans = Spans(stores.claims, exporter, prices)
        self._label_max_values = label_max_values
        self._series_max = series_max

    def run(self, text: str, delivery: int, now: datetime) -> Processed:
        """Process one queue message; when this returns, the message may be deleted.

        delivery: 1 the first time the queue hands it over, then 2, and so on.
        Raises:
            RetryLater: a store or Azure Monitor did not take it all; the queue must try again.
            GiveUp: the message cannot be read.
        """
        message = decode(text)
        attempt = message.attempts + delivery
        counted = attempt > 1 and self._series.applied(message.batch)
        mine = self._claim(message, attempt, now)
        claimed = mine.events
        done = self._claims.is_done(c.key for c in claimed) if attempt > 1 else set[str]()
        if counted and not done:
            return Processed(0, 0)
        refused = self._export([c for c in claimed if c.key not in done], attempt, now)
        if refused:
            # Should the process vanish before the poison queue has them, the next delivery finds
            # them by what is not done.
            self._claims.done(c.key for c in claimed if c.key not in refused)
        if not counted:
            lost = self._export_spans(message, mine, refused, attempt, now)
            self._count(message, mine, refused, lost, now)
        return _report(message, claimed, refused)

    def _claim(self, message: Message, attempt: int, now: datetime) -> _Mine:
        """Return the events and spans that no other message carries, priced."""
        wanted: dict[str, str] = {}
        for event in message.events:
            wanted.setdefault(event_key(event), message.id)
            if response := response_key(event):
                wanted.setdefault(response, event_key(event))
        bare = list(without_event(message))
        wanted |= {span.key: message.id for span in bare}
        holders = self._claims.claim(wanted, now, seen_before=attempt > 1)
        mine: dict[str, _Claimed] = {}
        for event in message.events:
            key, response = event_key(event), response_key(event)
            if holders[key] != message.id or key in mine:
                continue
            if response is None or holders[response] == key:
                mine[key] = _Claimed(event, self._price(event), key)
        spans = [PricedSpan(span) for span in bare if holders[span.key] == message.id]
        return _Mine(list(mine.values()), [*spans, *_priced_spans(message, mine.values())])

    def _price(self, event: AnyEvent) -> Cost | None:
        """Price a model call at its own time."""
        if isinstance(event.data, LlmCall):
            return self._prices.price(event.data, event.time)
        return None

    def _export(self, claimed: Sequence[_Claimed], attempt: int, now: datetime) -> _Refused:
        """Send the rows; return those that Azure Monitor refuses for good."""
        rows = [event_row(c.event, c.cost, attempt, now) for c in claimed]
        outcomes = self._exporter.events(rows) if rows else ()
        judged = [(c.key, outcome) for c, outcome in zip(claimed, outcomes, strict=True)]
        if any(isinstance(o, ExportLater) for o in outcomes):
            self._claims.done(key for key, outcome in judged if isinstance(outcome, Exported))
        raise_if_later("event", outcomes)
        return {key: outcome for key, outcome in judged if isinstance(outcome, ExportRefused)}

    def _export_spans(
        self, message: Message, mine: _Mine, refused: _Refused, attempt: int, now: datetime
    ) -> int:
        """Send the spans, but those of refused events; return how many are refused, with these."""
        spans = [span for span in mine.spans if span.event_key not in refused]
        try:
            lost = self._spans.export(spans, message.id, attempt, now)
        except RetryLater:
            self._claims.done(c.key for c in mine.events if c.key not in refused)
            raise
        return lost + len(mine.spans) - len(spans)

    def _count(
        self, message: Message, mine: _Mine, refused: _Refused, lost: int, now: datetime
    ) -> None:
        """Export the metrics, then add them to the running totals, which ends the message.

        lost: how many spans were refused.
        """
        claimed = mine.events
        timed = self._points(message, mine, refused, lost, now)
        outcomes = self._exporter.metrics([metric_row(*pair) for pair in timed])
        if any(isinstance(o, ExportLater) for o in outcomes):
            self._claims.done(c.key for c in claimed if c.key not in refused)
        raise_if_later("metric", outcomes)
        points = [point for _, point in timed]
        if lost := sum(isinstance(o, ExportRefused) for o in outcomes):
            points.append(Counted(NOT_EXPORTED.name, (), Decimal(lost)))
        self._series.apply(message.batch, points, now)

    def _points(
        self, message: Message, mine: _Mine, refused: _Refused, lost: int, now: datetime
    ) -> list[Timed]:
        """Derive the points of the kept events, and count what became of everything."""
        kept = [c for c in mine.events if c.key not in refused]
        measures = list(_outcomes(message, {c.key for c in kept}, refused, now))
        measures.extend(_span_outcomes(message, mine, lost, now))
        for c in kept:
            measures.extend(derive(c.event, c.cost, _minute(export_time(c.event, now))))
        named = list(bounded(measures, self._admit(label_values(measures), self._label_max_values)))
        return tally(bounded_series(named, self._admit(series_values(named), self._series_max)))

    def _admit(self, wanted: Mapping[str, set[str]], most: int) -> Admitted:
        """Ask the book which values of labels, or series of metrics, may stand as they are."""
        return {name: self._labels.admit(name, values, most) for name, values in wanted.items()}


def _outcomes(
    message: Message, kept: Collection[str], refused: Collection[str], now: datetime
) -> list[Measure]:
    """Count each event of the message once: exported, refused or duplicate."""
    measures: list[Measure] = []
    seen: set[str] = set()
    for event in message.events:
        key = event_key(event)
        outcome = "exported" if key in kept else "refused" if key in refused else "duplicate"
        outcome = "duplicate" if key in seen else outcome
        seen.add(key)
        values = (event.type, outcome)
        measures.append(Measure(EVENTS, values, 1, _minute(now), 1, event.source, now))
    return measures


def _span_outcomes(message: Message, mine: _Mine, lost: int, now: datetime) -> Iterator[Measure]:
    """Count the spans by what became of them."""
    others = len(message.spans) - len(mine.spans)
    counts = {"exported": len(mine.spans) - lost, "refused": lost, "duplicate": others}
    for outcome, count in counts.items():
        if count:
            yield Measure(SPANS, (outcome,), count, _minute(now), 1, "", now)


def _priced_spans(message: Message, claimed: Iterable[_Claimed]) -> Iterator[PricedSpan]:
    """Yield the spans of the claimed events."""
    mine = {(c.event.source, c.event.id): c for c in claimed}
    for span in message.spans:
        if c := mine.get((span.source, span.id)):
            call = c.event.data if isinstance(c.event.data, LlmCall) else None
            yield PricedSpan(span, c.key, call, c.event.time, c.cost)


def _report(message: Message, claimed: Sequence[_Claimed], refused: _Refused) -> Processed:
    """Sum up, and pack what was refused for the poison queue."""
    aside = [c.event for c in claimed if c.key in refused]
    note = "; ".join(sorted({outcome.why for outcome in refused.values()}))[:1000]
    texts = pack(aside, message.received_at, holder=message.id, note=note)
    exported = len(claimed) - len(aside)
    return Processed(exported, len(message.events) - len(claimed), tuple(texts))


def _minute(moment: datetime) -> datetime:
    """Return the minute that the moment falls into."""
    return moment.replace(second=0, microsecond=0)
