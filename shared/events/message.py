"""Packs events into queue messages and takes them out again."""

import base64
import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, TypeAdapter

from shared.errors import GiveUp
from shared.events.carried_span import CarriedSpan
from shared.events.otlp.record import Record
from shared.events.types import AgentEvent, AnyEvent

BEAT = "heartbeat"
UNREAD_OF = "unread_of"
"""Of an instrumentation scope: its spans that count tokens in unknown words."""
MAX_MESSAGE_CHARS = 49_000
"""What a queue message may hold before the host adds base64 of its own: 48 KiB of 64.

The rest is left for what a message that comes back says of its attempts.
"""


class Message(BaseModel, frozen=True, extra="forbid"):
    """What travels through the queue.

    id: holds the claims of its events.
    batch: what is counted in one step; another than id where events were set aside and come again;
        `<batch>.0`, `<batch>.1` for the halves of one that was split.
    attempts: deliveries before this message was put back.
    note: why it was set aside, on a message in the poison queue.
    traceparent: of the request that brought its events; "" where that is not known.
    refused: how many events of that request were not taken, by reason.
    otlp: what became of the spans or log records of that request: "read traces", or
        "unread_of <scope>" → how many.
    records: what its spans say, for those of their traces that come in other messages.
    """

    v: int = 1
    id: str
    batch: str
    received_at: AwareDatetime
    attempts: int = 0
    note: str = ""
    traceparent: str = ""
    refused: dict[str, int] = {}
    otlp: dict[str, int] = {}
    events: list[AgentEvent]
    spans: list[CarriedSpan] = []
    records: list[Record] = []

    @property
    def batches(self) -> Sequence[str]:
        """Return the batch and those that it was split from: counted with one, it is counted."""
        root, _, path = self.batch.partition(".")
        return [root, *(f"{root}.{path[: n + 1]}" for n in range(len(path)))]

    @property
    def is_posted(self) -> bool:
        """Return whether it brings what was posted, and not what an operator gave back."""
        return self.batches[0] == self.id


@dataclass(frozen=True, slots=True)
class Parcel:
    """What must travel in one message: events, the spans they come from, and what these say."""

    events: tuple[AnyEvent, ...]
    spans: tuple[CarriedSpan, ...] = ()
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """The request that a message comes from.

    traceparent: of the host's row of it. refused: events that were not taken, by reason.
    otlp: as in Message.
    """

    traceparent: str = ""
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    otlp: Mapping[str, int] = field(default_factory=dict[str, int])


UNKNOWN = Request()
_MESSAGE = TypeAdapter(Message)


def pack(
    events: Sequence[AnyEvent],
    received_at: AwareDatetime,
    *,
    holder: str = "",
    note: str = "",
    request: Request = UNKNOWN,
) -> list[str]:
    """Return queue messages that together hold the events in their order.

    holder: the message that holds the claims of the events already, if one does.
    The text is gzip in base64: it does not look like JSON, which the Functions host would take
    apart on its way into the queue and out of it.
    """
    batch = uuid4().hex
    blank = _blank(received_at, request)
    known = {"id": holder or batch, "batch": batch, "attempts": 1 if holder else 0, "note": note}
    return _pack([Parcel((event,)) for event in events], blank.model_copy(update=known))


def pack_parcels(
    parcels: Sequence[Parcel], received_at: AwareDatetime, request: Request = UNKNOWN
) -> list[str]:
    """Return queue messages that together hold the parcels in their order; as pack()."""
    return _pack(parcels, _blank(received_at, request))


def _blank(received_at: AwareDatetime, request: Request) -> Message:
    """Return a message without events."""
    batch = uuid4().hex
    return Message.model_construct(
        v=1,
        id=batch,
        batch=batch,
        received_at=received_at,
        attempts=0,
        note="",
        traceparent=request.traceparent,
        refused=dict(request.refused),
        otlp=dict(request.otlp),
        events=[],
        spans=[],
        records=[],
    )


def _pack(parcels: Sequence[Parcel], blank: Message) -> list[str]:
    """Fill the blank; where it is too full, fill several, of which the first counts refusals."""
    if not parcels and not blank.refused and not blank.otlp:
        return []
    held = {
        "events": [event for parcel in parcels for event in parcel.events],
        "spans": [span for parcel in parcels for span in parcel.spans],
        "records": [record for parcel in parcels for record in parcel.records],
    }
    text = encode(blank.model_copy(update=held))
    if len(text) <= MAX_MESSAGE_CHARS:
        return [text]
    first, *others = _parts(parcels) or [()]
    return [*_pack(first, blank), *(text for part in others for text in _pack(part, _next(blank)))]


def _next(blank: Message) -> Message:
    """Return another blank of the same request, to be counted by itself."""
    batch = uuid4().hex
    holder = batch if blank.id == blank.batch else blank.id
    counts = dict[str, int]()
    return blank.model_copy(update={"id": holder, "batch": batch, "refused": counts})


def _parts(parcels: Sequence[Parcel]) -> list[Sequence[Parcel]]:
    """Return what to try instead of too much at once: halves; of one parcel, its events alone.

    A span too large for a message is left out: it is no event.
    """
    half = len(parcels) // 2
    if half:
        return [parcels[:half], parcels[half:]]
    return [[Parcel((event,))] for event in parcels[0].events]


def beat(at: AwareDatetime) -> str:
    """Return the queue text of a minute's heartbeat.

    To the edition before it is a message without events.
    """
    blank = _blank(at, UNKNOWN)
    return encode(blank.model_copy(update={"note": BEAT}))


def is_beat(message: Message) -> bool:
    """Return whether the message is a heartbeat."""
    return message.note == BEAT and not message.events


def encode(message: Message) -> str:
    """Return the message as queue text."""
    plain = _MESSAGE.dump_json(message, exclude_defaults=True)
    return base64.b64encode(gzip.compress(plain, 5, mtime=0)).decode("ascii")


def after_deliveries(message: Message, deliveries: int) -> str:
    """Return the queue text that puts a message back, which knows how often it was delivered."""
    attempts = message.attempts + deliveries
    return encode(message.model_copy(update={"attempts": attempts, "note": ""}))


def decode(text: str) -> Message:
    """Return the message that a queue text holds.

    Raises:
        GiveUp: it is none of ours, or of a version that this code does not know.
    """
    try:
        plain = gzip.decompress(base64.b64decode(text, validate=True))
        message = _MESSAGE.validate_json(plain)
    except (OSError, EOFError, zlib.error, ValueError) as exc:
        raise GiveUp(
            f"A queue message cannot be read ({type(exc).__name__}). It goes to the poison queue; "
            "see `bin/ops poison list`."
        ) from None
    if message.v != 1:
        raise GiveUp(
            f"A queue message has version {message.v}; this code reads version 1. Deploy the "
            "version that wrote it, then replay the poison queue."
        )
    return message
