"""Narrows an unexpected error down to the single event, so that its neighbours are processed."""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from shared.errors import AgentmeterError, Misconfigured, RetryLater
from shared.events.split import halves, with_note
from shared.usecases.processing.processed import Processed
from shared.usecases.processing.requeue import LAST_DELIVERY

logger = logging.getLogger(__name__)
Run = Callable[[str, int, datetime], Processed]


class Narrowing:
    """Splits a message that meets a fault, until the fault is alone.

    A crash after the halves are queued brings them twice: both copies are counted under the same
    batch, once. A process that dies leaves nothing to split; `ops poison split` does it then.
    """

    def __init__(self, process: Run) -> None:
        self._process = process

    def run(self, text: str, delivery: int, now: datetime) -> Processed:
        """Process one queue message; what cannot be processed alone is set aside with the reason.

        Raises:
            RetryLater, Misconfigured: as Process.
            Exception: of a single event, until its last delivery; of what cannot be read at all.
        """
        try:
            return self._process(text, delivery, now)
        except (RetryLater, Misconfigured):
            raise
        except Exception as exc:
            if parts := halves(text, delivery):
                logger.warning("A message is split, to find what is wrong: %s", reason(exc))
                return Processed(0, 0, again=parts)
            aside = with_note(text, reason(exc))
            if delivery < LAST_DELIVERY or aside == text:
                raise
            logger.exception("An event cannot be processed and is dead-lettered.")
            return Processed(0, 0, refused=(aside,))


def reason(exc: Exception) -> str:
    """Say what went wrong and where, without a value of the event."""
    if isinstance(exc, AgentmeterError):
        return str(exc)
    frames = traceback.extract_tb(exc.__traceback__)
    where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(exc).__name__}{where}"
