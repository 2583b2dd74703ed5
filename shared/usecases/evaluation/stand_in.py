"""Judges fast conditions where the timer does not, so that a dead timer stops no page."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from shared.invocation import failed
from shared.ports import Turns

OVERDUE = timedelta(minutes=2)
READ_EVERY = timedelta(seconds=30)
"""How often a process asks when rules were evaluated, and how long its turn lasts."""

logger = logging.getLogger(__name__)


class StandIn:
    """Stands in for the timer after a message is done; of several processes, one at a time."""

    def __init__(self, turns: Turns, evaluate: Callable[[datetime], object]) -> None:
        """evaluate: judges fast conditions and delivers; it is made when it is first needed."""
        self._turns = turns
        self._evaluate = evaluate
        self._lock = Lock()
        self._next: datetime | None = None

    def run(self, now: datetime) -> bool:
        """Evaluate where the timer is overdue; return whether that was done.

        Never raises: the message is done, even if this fails.
        """
        try:
            if not self._is_time(now) or not self._turns.take(now, OVERDUE, now + READ_EVERY):
                return False
            logger.warning("The timer is overdue; fast conditions are evaluated without it.")
            self._evaluate(now)
        except Exception as exc:  # the queue must not bring a message again that is done
            logger.exception("Standing in for the timer failed.")
            failed(exc)
            return False
        return True

    def _is_time(self, now: datetime) -> bool:
        """Return whether this process has not asked lately."""
        with self._lock:
            if self._next and self._next - READ_EVERY <= now < self._next:
                return False
            self._next = now + READ_EVERY
            return True
