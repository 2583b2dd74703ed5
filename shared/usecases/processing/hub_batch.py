"""Processes what an event hub hands over, which counts no deliveries and takes nothing back."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from itertools import chain
from uuid import uuid4

from shared.claim_ports import Claims
from shared.errors import AgentmeterError, GiveUp
from shared.events.message import MAX_MESSAGE_CHARS, after_deliveries, decode
from shared.invocation import carried
from shared.usecases.processing.processed import Processed
from shared.usecases.processing.requeue import Run

AT_ONCE = 16
"""Messages of a batch; most of the time each waits for tables and ingestion."""
AGAIN = 2
"""Which delivery it is when a message was handed over before, however often."""

logger = logging.getLogger(__name__)


class HubBatch:
    """Does for each message what is done for one of the queue.

    The hub moves on even where a batch fails. So what fails, waits or is refused is put into the
    storage account's queues, which know how to try again; only when they have it, run() returns.
    """

    def __init__(
        self,
        process: Run,
        claims: Claims,
        put: Callable[[Sequence[str]], None],
        set_aside: Callable[[Sequence[str]], None],
    ) -> None:
        """put, set_aside: write into the queue of messages, and into the poison queue."""
        self._process = process
        self._claims = claims
        self._put = put
        self._set_aside = set_aside
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="event-hub-batch")

    def run(self, texts: Sequence[str], now: datetime) -> None:
        """Process the messages; when this returns, the hub may move on.

        Raises:
            RetryLater, Misconfigured: claims, or a queue, cannot be written to. The host hands the
                same batch over again before the hub moves on.
        """
        deliveries = self._deliveries(texts, now)
        given = [(text, deliveries[text], now) for text in texts]
        done = list(self._threads.map(carried(self._one), given))
        self._set_aside(list(chain.from_iterable(each.refused for each in done)))
        self._put(list(chain.from_iterable(each.again for each in done)))

    def _deliveries(self, texts: Sequence[str], now: datetime) -> Mapping[str, int]:
        """Return for each message whether it comes the first time.

        Of all that ever receive it, at once or one after the other, one alone takes its claim.
        """
        keys = {text: f"h:{sha256(text.encode()).hexdigest()[:32]}" for text in texts}
        holder = uuid4().hex
        wanted = dict.fromkeys(keys.values(), holder)
        held = self._claims.claim(wanted, now, seen_before=False)
        return {text: 1 if held[key] == holder else AGAIN for text, key in keys.items()}

    def _one(self, given: tuple[str, int, datetime]) -> Processed:
        """Process a message; one that fails goes to the queue, and stops none behind it."""
        text, delivery, now = given
        try:
            return self._process(text, delivery, now)
        except Exception as exc:
            ours = not isinstance(exc, AgentmeterError)
            logger.warning("A message of the event hub goes to the queue: %s", exc, exc_info=ours)
            return Processed(0, 0, again=(_queued(text, delivery),))


def _queued(text: str, delivery: int) -> str:
    """Return the text that waits in the queue; what cannot be read ends in the poison queue."""
    try:
        return after_deliveries(decode(text), delivery)
    except GiveUp:
        return text[:MAX_MESSAGE_CHARS]
