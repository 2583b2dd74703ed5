"""What became of a queue message."""

import logging
from dataclasses import dataclass

from shared.events.message import Message

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of a message.

    refused: queue texts for the poison queue: events that Azure Monitor will never take.
    again: queue texts to put back: of a message that needs more time, or that was split.
    """

    exported: int
    duplicates: int
    refused: tuple[str, ...] = ()
    again: tuple[str, ...] = ()


def log_processed(message: Message, processed: Processed, attempt: int) -> None:
    """Say in one line what became of the message."""
    numbers = {
        "message_id": message.id,
        "exported": processed.exported,
        "duplicates": processed.duplicates,
        "set_aside": len(message.events) - processed.exported - processed.duplicates,
        "attempt": attempt,
    }
    counted = len(message.events), processed.exported
    logger.info("Of %d events, %d were exported.", *counted, extra=numbers)
