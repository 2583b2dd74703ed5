"""Takes the spans that exporters send and hands their events to the queue."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from shared.events.message import UNREAD_OF, Request, pack_parcels
from shared.events.otlp.media import Media
from shared.events.otlp.owner import of_tenant
from shared.events.otlp.read_spans import Reading, read_spans
from shared.events.otlp.span import MAX_CHARS, Span
from shared.events.unpack import Sizes, refuse_chunks, unpack
from shared.invocation import traceparent

logger = logging.getLogger(__name__)
MOST_SCOPES = 20
"""Of a request, whose spans count tokens in unknown words: so many are named."""
_REASONS = {"wrong": "refused", "unread": "unread", "sampled": "sampled"}
"""As agentmeter_events_refused_total names them."""
MOST_SAID = 5
"""Of reasons, in one answer."""

Read = Callable[[bytes, Media], Sequence[Span | str]]
"""Makes spans of an unpacked request, also of its log records; a text is why one is none."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a request.

    events, ignored, rejected: how many events were made, how many spans or log records have nothing
        to do with models, and how many were refused.
    said: what the sender should know, "" for nothing.
    messages: queue texts that hold the events; they are durable once queued.
    """

    events: int
    ignored: int
    rejected: int
    said: str
    messages: tuple[str, ...]


class TakeOtlp:
    """Reads, maps and packs what exporters send of one signal; stores nothing itself."""

    def __init__(
        self, read: Read, sizes: Sizes, content_chars: int, signal: str = "traces"
    ) -> None:
        """content_chars: how much of a text to keep of a span; 0 keeps no prompts and answers.

        signal: traces or logs.
        """
        self._signal = signal
        self._items = {"traces": "spans", "logs": "log records"}[signal]
        self._read = read
        self._sizes = sizes
        self._content_chars = content_chars

    def accept(
        self,
        body: bytes,
        headers: Mapping[str, str],
        media: Media,
        now: datetime,
        tenant: str = "",
    ) -> Received:
        """Return the events of the spans as queue messages, and why spans were refused.

        headers: names in lower case. tenant: of the sender's key; the spans carry it, whatever
            they say.
        Raises:
            InvalidEvent: nothing can be made of the body as a whole; the class says which answer.
        """
        refuse_chunks(body, headers)
        found = self._read(unpack(body, headers, self._sizes), media)
        spans = [span for span in found if isinstance(span, Span)]
        if tenant:
            spans = [of_tenant(span, tenant) for span in spans]
        reading = read_spans(spans, now, self._content_chars)
        refused = [reason for reason in found if isinstance(reason, str)] + list(reading.refused)
        received = Received(
            events=sum(len(parcel.events) for parcel in reading.parcels),
            ignored=reading.ignored,
            rejected=len(refused),
            said=_say(refused, reading, self._items),
            messages=tuple(
                pack_parcels(reading.parcels, now, self._request(found, refused, reading))
            ),
        )
        logger.info(
            "Of %d %s, %d events; %d ignored, %d refused.",
            *(len(found), self._items, received.events, received.ignored, received.rejected),
        )
        return received

    def count_refused(self, now: datetime) -> Sequence[str]:
        """Return what lets the queue count a request of which nothing could be made."""
        return pack_parcels([], now, Request(traceparent(), otlp={f"refused {self._signal}": 1}))

    def _request(
        self, found: Sequence[object], refused: Sequence[str], reading: Reading
    ) -> Request:
        """Return where the message comes from, and what of its request was read and what was not.

        A request that has nothing to do with models is not worth a message.
        """
        counts = {
            "refused": len(refused),
            "unread": sum(reading.unread.values()),
            "sampled": reading.sampled,
            "read": reading.read,
        }
        if not any(counts.values()):
            return Request(traceparent())
        counts["received"] = len(found)
        totals = {f"{name} {self._signal}": count for name, count in counts.items() if count}
        scopes = islice(reading.unread.items(), MOST_SCOPES)
        totals |= {f"{UNREAD_OF} {scope[:MAX_CHARS]}": count for scope, count in scopes}
        reasons = {f"{n}_span": counts[name] for n, name in _REASONS.items() if counts[name]}
        return Request(traceparent(), reasons, totals)


def _say(refused: Sequence[str], reading: Reading, items: str) -> str:
    """Put what went wrong into a sentence or two; the first few stand for the rest."""
    parts: list[str] = []
    if refused:
        parts.append(
            f"{len(refused)} {items} were refused. {_few(refused)}. The others were taken: send "
            "none again. See docs/opentelemetry.md."
        )
    if reading.corrected:
        parts.append(
            f"Token counts that contradict each other were cut. {_few(reading.corrected)}."
        )
    if reading.unread:
        parts.append(
            f"{items.capitalize()} of {_few([*reading.unread])} seem to count tokens in words "
            "that are not known here, and are not priced. See docs/dialects.md."
        )
    if reading.sampled:
        parts.append(
            f"{reading.sampled} spans are of traces of which only a share is sent: costs are too "
            "low by the others. Export every trace (OTEL_TRACES_SAMPLER=always_on)."
        )
    return " ".join(parts)


def _few(reasons: Sequence[str]) -> str:
    return "; ".join(reason.rstrip(".") for reason in reasons[:MOST_SAID])
