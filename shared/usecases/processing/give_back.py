"""Gives messages back at once while nothing can be exported, so that new ones are tallied first."""

from collections.abc import Callable
from datetime import datetime

from shared.errors import RetryLater
from shared.events.message import decode
from shared.store_ports import SeriesStore
from shared.usecases.processing.processed import Processed
from shared.usecases.processing.requeue import Run


class GiveBack:
    """Spares what a message that came before would cost in an outage: it is in totals and tallies
    already, and its rows would not be taken."""

    def __init__(self, process: Run, series: SeriesStore, closed: Callable[[], str]) -> None:
        """closed: returns why nothing can be exported now, or ""."""
        self._process = process
        self._series = series
        self._closed = closed

    def run(self, text: str, delivery: int, now: datetime) -> Processed:
        """Process one queue message.

        Raises:
            RetryLater: nothing is taken, and its events are counted; or as Process.
        """
        why = self._closed()
        if why and self._is_counted(text, delivery):
            raise RetryLater(f"{why} The queue tries again.")
        return self._process(text, delivery, now)

    def _is_counted(self, text: str, delivery: int) -> bool:
        """Return whether totals and tallies hold what an earlier delivery brought."""
        message = decode(text)
        if message.attempts + delivery == 1:
            return False
        batches = {message.id, *message.batches}
        return any(self._series.applied(f"{batch} totals") for batch in batches)
