"""Asks the log again when it was busy, as a command that reads for minutes must."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.errors import RetryLater
from shared.ports import Table, UsageLog

PATIENCE = timedelta(minutes=3)
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0


@dataclass(frozen=True)
class PatientLog:
    """A UsageLog that waits as long as it is asked to, and says so.

    pause: waits so many seconds. note: writes to the operator.
    """

    log: UsageLog
    clock: Clock
    pause: Callable[[float], object]
    note: Callable[[str], None]

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Run the query; raises as any UsageLog, RetryLater after three minutes of trying."""
        give_up_at = self.clock.now() + PATIENCE
        wait_s = FIRST_WAIT_S
        while True:
            try:
                return self.log.query(kql, start, end)
            except RetryLater as exc:
                if self.clock.now() >= give_up_at:
                    raise
                wait_s = max(wait_s, exc.retry_after_s or 0.0)
                self.note(f"{exc} Asking again in {wait_s:.0f} s.")
            self.pause(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
