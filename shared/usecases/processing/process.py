"""Turns a queue message into rows and totals, each event exactly once."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.alerting.count_fast import CountFast, clock
from shared.alerting.tallies import merge_all, subtracted
from shared.claim_ports import Claims, TraceMemory
from shared.errors import RetryLater
from shared.events.identity import event_key
from shared.events.message import Message, decode, is_beat, pack
from shared.invocation import read_traceparent, working
from shared.metrics.derive import (
    Admitted,
    Measure,
    bounded,
    bounded_series,
    corrected,
    derive,
    firsts,
    label_values,
    series_values,
)
from shared.metrics.points import Point
from shared.metrics.tally import tally
from shared.ports import Exporter
from shared.rows import BEAT_ROW, EventRow, Exported, ExportLater, ExportRefused
from shared.store_ports import LabelBook, SeriesStore
from shared.usecases.processing.claim_events import Claimed, ClaimEvents, Mine
from shared.usecases.processing.exporting import NotTaken, raise_if_later
from shared.usecases.processing.outcome_metrics import Fate, counts, items_later, lateness
from shared.usecases.processing.place_spans import Placed, PlaceSpans
from shared.usecases.processing.processed import Processed, log_processed
from shared.usecases.processing.rows import Prices, Spans, corrected_row, event_row

logger = logging.getLogger(__name__)
BEAT_OF_USE = timedelta(minutes=30)
"""A heartbeat that is late for so long says nothing that a later one does not say."""
SERIES_MAX = 2_000
"""Series of a metric by default: as many as a row of Azure Tables holds."""


def count_nothing(now: datetime) -> CountFast:
    """Return what counts for no fast condition."""
    del now
    return CountFast(())


_Refused = Mapping[str, ExportRefused]


@dataclass(frozen=True, slots=True)
class Stores:
    """What a message is remembered in."""

    claims: Claims
    series: SeriesStore
    labels: LabelBook
    traces: TraceMemory


class Process:
    """Claims, prices, adds to totals and tallies, exports, notes that it is done; in this order, so
    that a crash anywhere can be repeated, and an outage of Azure Monitor hides nothing.

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
        fast: Callable[[datetime], CountFast] = count_nothing,
    ) -> None:
        """label_max_values: of a label. series_max: of a metric; what is more becomes `other`.

        fast: returns what counts for the fast conditions in force.
        """
        self._claims = stores.claims
        self._series = stores.series
        self._labels = stores.labels
        self._place_spans = PlaceSpans(stores.traces)
        self._exporter = exporter
        self._claim = ClaimEvents(stores.claims, prices)
        self._spans = Spans(stores.claims, exporter, prices)
        self._label_max_values = label_max_values
        self._series_max = series_max
        self._fast = fast

    def run(self, text: str, delivery: int, now: datetime) -> Processed:
        """Process one queue message; when this returns, the message may be deleted.

        delivery: 1 the first time the queue hands it over, then 2, and so on.
        Raises:
            RetryLater: a store or Azure Monitor did not take it all; the queue must try again.
            GiveUp: the message cannot be read.
        """
        message = decode(text)
        attempt = message.attempts + delivery
        with working("process_events", read_traceparent(message.traceparent)):
            placed = self._place_spans.place(message, now)
            message = placed.message
            try:
                run = self._beat(message, now) if is_beat(message) else None
                processed = run or self._run(placed, attempt, now)
            except NotTaken as exc:
                self._count_later(message, attempt, exc.items, now)
                raise
            if message.events:
                log_processed(message, processed, attempt)
        return processed

    def _run(self, placed: Placed, attempt: int, now: datetime) -> Processed:
        """Process the message; raises as run()."""
        message = placed.message
        finished = attempt > 1 and any(map(self._series.applied, message.batches))
        mine = self._claim.take(placed, attempt, now)
        claimed = mine.events
        done = self._claims.is_done(c.key for c in claimed) if attempt > 1 else set[str]()
        if finished and not done:
            return Processed(0, 0)
        if not finished:
            self._add(message, claimed, now)
        rows = [_row(c, attempt, now, message.traceparent) for c in claimed if c.key not in done]
        if not finished:
            rows += placed.owners
        refused = self._export([c.key for c in claimed if c.key not in done], rows)
        if refused:
            # Should the process vanish before the poison queue has them, the next delivery finds
            # them by what is not done.
            self._claims.done(c.key for c in claimed if c.key not in refused)
        if not finished:
            lost = self._export_spans(message, mine, refused, attempt, now)
            self._series.apply(
                message.batch, self._outcomes(message, mine, refused, lost, now), now
            )
        return _report(message, claimed, refused)

    def _beat(self, message: Message, now: datetime) -> Processed:
        """Note how far the queue is worked off, and leave the row by which the log's lag is seen.

        Raises:
            RetryLater: the row was not taken, and is still of use.
        """
        self._series.apply(f"{message.batch} totals", (), now, clock(message.received_at))
        if now - message.received_at < BEAT_OF_USE:
            row = EventRow(BEAT_ROW, message.received_at.astimezone(UTC), {}, {})
            raise_if_later("heartbeat", self._exporter.events([row]))
        return Processed(0, 0)

    def _add(self, message: Message, claimed: Sequence[Claimed], now: datetime) -> None:
        """Add the events to totals and tallies, once, before their rows go out.

        What was set aside, or split, and comes back was added when it came first.
        """
        earlier = {message.id, *message.batches} - {message.batch}
        if any(self._series.applied(f"{batch} totals") for batch in earlier):
            return
        at = message.received_at
        measures = [one for c in claimed for one in _measures(c, at)]
        measures += lateness((c.reported for c in claimed), at)
        fast = self._fast(now)
        counted = fast.count(((c.event, c.cost) for c in claimed), at)
        before = [c.correction.before for c in claimed if c.correction]
        if before:
            replaced = fast.count(((b.event, b.cost) for b in before if b.event), at)
            counted = merge_all([counted, subtracted(replaced)])
        self._series.apply(f"{message.batch} totals", self._bounded(measures, now), now, counted)

    def _export(self, keys: Sequence[str], rows: Sequence[EventRow]) -> _Refused:
        """Send the rows of these claims; return those that Azure Monitor refuses for good.

        Rows beyond those of the claims belong to other messages' events, and are sent along.
        """
        outcomes = self._exporter.events(rows) if rows else ()
        judged = list(zip(keys, outcomes, strict=False))
        if any(isinstance(o, ExportLater) for o in outcomes):
            self._claims.done(key for key, outcome in judged if isinstance(outcome, Exported))
        raise_if_later("event", outcomes)
        return {key: outcome for key, outcome in judged if isinstance(outcome, ExportRefused)}

    def _export_spans(
        self, message: Message, mine: Mine, refused: _Refused, attempt: int, now: datetime
    ) -> int:
        """Send the spans, but those of refused events; return how many are refused, with these."""
        spans = [span for span in mine.spans if span.event_key not in refused]
        try:
            lost = self._spans.export(spans, message.id, attempt, now)
        except RetryLater:
            self._claims.done(c.key for c in mine.events if c.key not in refused)
            raise
        return lost + len(mine.spans) - len(spans)

    def _outcomes(
        self, message: Message, mine: Mine, refused: _Refused, lost: int, now: datetime
    ) -> list[Point]:
        """Count what became of everything. lost: how many spans were refused."""
        taken = [c for c in mine.events if c.key not in refused]
        kept = {c.key for c in taken if not c.correction}
        corrections = {event_key(c.reported) for c in taken if c.correction}
        fate = Fate(kept, refused, corrections, mine.contradicting, len(mine.spans), lost)
        return self._bounded(list(counts(message, fate, now)), now)

    def _bounded(self, measures: Sequence[Measure], now: datetime) -> list[Point]:
        """Return the points of the measures, with no more values and series than may be."""
        values = self._admit(label_values(firsts(measures)), self._label_max_values, now)
        named = list(bounded(measures, values))
        series = self._admit(series_values(firsts(named)), self._series_max, now)
        return tally(bounded_series(named, series))

    def _count_later(self, message: Message, attempt: int, items: int, now: datetime) -> None:
        """Count a try that came to nothing, once; where even that fails, log the try."""
        try:
            self._series.apply(f"{message.batch} {attempt}", [items_later(items)], now)
        except RetryLater as exc:
            logger.warning("A failed try was not counted: %s", exc)

    def _admit(self, wanted: Mapping[str, Mapping[str, str]], most: int, now: datetime) -> Admitted:
        """Ask the book which values of labels, or series of metrics, may stand as they are."""
        admit = self._labels.admit
        return {name: admit(name, values, most, now) for name, values in wanted.items()}


def _measures(claimed: Claimed, received_at: datetime) -> Iterator[Measure]:
    """Yield what the event adds to metrics; of a correction, what that is more or less."""
    found = derive(claimed.event, claimed.cost, received_at)
    before = claimed.correction.before if claimed.correction else None
    if before is None or before.event is None:
        return found
    return corrected(derive(before.event, before.cost, received_at), found)


def _row(claimed: Claimed, attempt: int, now: datetime, request: str) -> EventRow:
    if claimed.correction:
        return corrected_row(claimed.correction, attempt, now)
    return event_row(claimed.event, claimed.cost, attempt, now, request)


def _report(message: Message, claimed: Sequence[Claimed], refused: _Refused) -> Processed:
    """Sum up, and pack what was refused for the poison queue."""
    aside = [c.reported for c in claimed if c.key in refused]
    note = "; ".join(sorted({outcome.why for outcome in refused.values()}))[:1000]
    texts = pack(aside, message.received_at, holder=message.id, note=note)
    exported = len(claimed) - len(aside)
    return Processed(exported, len(message.events) - len(claimed), tuple(texts))
