"""Keeps a message in the queue for as long as time is all that it needs."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.errors import Misconfigured, RetryLater
from shared.events.message import after_deliveries, decode
from shared.usecases.processing.processed import Processed

LAST_DELIVERY = 5
"""`maxDequeueCount` of host.json: what fails in this delivery goes to the poison queue."""
PATIENCE = timedelta(days=7)
"""Claims are remembered for eight: a later repeat would not know its own events."""

logger = logging.getLogger(__name__)
Run = Callable[[str, int, datetime], Processed]


class Patient:
    """Puts a message back before the host gives it up, if time or an operator will fix what failed.

    So neither an outage nor a role that is missing, however long, sends a message to the poison
    queue; one that meets a fault of ours, or ends the process, still goes there.
    """

    def __init__(self, process: Run) -> None:
        self._process = process

    def run(self, text: str, delivery: int, now: datetime) -> Processed:
        """Process one queue message; `again` of the answer is what to put back into the queue.

        Raises:
            RetryLater, Misconfigured: as Process, in the first deliveries, and when the message is
                a week old.
            GiveUp: as Process.
        """
        try:
            return self._process(text, delivery, now)
        except (RetryLater, Misconfigured) as exc:
            message = decode(text)
            if delivery < LAST_DELIVERY or now - message.received_at > PATIENCE:
                raise
            logger.warning("A message goes back to its queue after %s tries: %s", delivery, exc)
            return Processed(0, 0, again=(after_deliveries(message, delivery),))
