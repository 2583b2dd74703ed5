"""Takes what agents send and hands it to the queue, each refused event named."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import InvalidEvent, LengthRequired, TooLarge, UnsupportedMedia
from shared.events.body import Limits, read_events
from shared.events.envelope import Refusal, judge, of_tenant
from shared.events.message import Request, pack
from shared.invocation import traceparent
from shared.usecases.intake.reused_ids import ReusedIds, Warned

REASONS: Mapping[type[InvalidEvent], str] = {
    LengthRequired: "chunked",
    TooLarge: "too_large",
    UnsupportedMedia: "unsupported_media",
    InvalidEvent: "unreadable",
}
"""Why a whole request is refused, as the metric of refused events names it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a request.

    messages: queue texts that hold the accepted events; they are durable once queued.
    warned: accepted events of which the sender should know something.
    """

    accepted: int
    rejected: tuple[Refusal, ...]
    messages: tuple[str, ...]
    warned: tuple[Warned, ...] = ()


class Ingest:
    """Reads, judges and packs; stores nothing itself."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._reused = ReusedIds()

    def accept(
        self, body: bytes, headers: Mapping[str, str], now: datetime, tenant: str = ""
    ) -> Received:
        """Return the accepted events as queue messages, and why others were refused.

        headers: names in lower case. tenant: of the sender's key; the events carry it, whatever
            they say.
        Raises:
            InvalidEvent: nothing can be made of the body as a whole; the class says which answer.
        """
        given = read_events(body, headers, self._limits)
        events, refused = judge(of_tenant(given, tenant) if tenant else given, now)
        request = Request(traceparent(), Counter(one.reason for one in refused))
        counts = {"accepted": len(events), "refused": len(refused)}
        logger.info("Of %d events, %d were accepted.", len(given), len(events), extra=counts)
        warned = self._reused.among(given, {one.index for one in refused})
        messages = tuple(pack(events, now, request=request))
        return Received(len(events), tuple(refused), messages, tuple(warned))

    def count_refused(self, refusal: InvalidEvent, now: datetime) -> Sequence[str]:
        """Return what lets the queue count a request of which nothing could be made."""
        reason = next(name for kind, name in REASONS.items() if isinstance(refusal, kind))
        return pack([], now, request=Request(traceparent(), {reason: 1}))
