"""Takes what agents send and hands it to the queue, each refused event named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.events.body import Limits, read_events
from shared.events.envelope import Refusal, judge
from shared.events.message import pack


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a request.

    messages: queue texts that hold the accepted events; they are durable once queued.
    """

    accepted: int
    rejected: tuple[Refusal, ...]
    messages: tuple[str, ...]


class Ingest:
    """Reads, judges and packs; stores nothing itself."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def accept(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Received:
        """Return the accepted events as queue messages, and why others were refused.

        headers: names in lower case.
        Raises:
            InvalidEvent: nothing can be made of the body as a whole; the class says which answer.
        """
        given = read_events(body, headers, self._limits)
        events, refused = judge(given, now)
        return Received(len(events), tuple(refused), tuple(pack(events, now)))
