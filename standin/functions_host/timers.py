"""Runs timer functions by their schedules, one run at a time, and remembers them on disk."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.functions.timer import TimerRequest

from shared.clock import Clock
from standin.functions_host.database import Database
from standin.functions_host.index import TimerFunction
from standin.functions_host.ncrontab import often

NEVER = datetime.min.replace(tzinfo=UTC)
SCHEMA = """
CREATE TABLE IF NOT EXISTS timers (
    name TEXT PRIMARY KEY, schedule TEXT NOT NULL,
    last TEXT NOT NULL, next TEXT NOT NULL, updated TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Status:
    """When a timer last ran (NEVER: not yet), when it is due, and when that was written."""

    last: datetime
    next: datetime
    updated: datetime


class TimerStatuses:
    """The status of each monitored timer, kept over restarts."""

    def __init__(self, path: Path | None) -> None:
        self._db = Database(path, SCHEMA)

    def read(self, name: str, schedule: str) -> Status | None:
        """Return the status; None if there is none, or the timer had another schedule then."""
        rows = self._db.run(
            "SELECT last, next, updated FROM timers WHERE name = ? AND schedule = ?",
            *(name, schedule),
        )
        return Status(*(datetime.fromisoformat(text) for text in rows[0])) if rows else None

    def write(self, name: str, schedule: str, status: Status) -> None:
        """Store the status."""
        moments = (status.last, status.next, status.updated)
        self._db.run(
            "INSERT OR REPLACE INTO timers VALUES (?, ?, ?, ?, ?)",
            *(name, schedule),
            *(moment.isoformat() for moment in moments),
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class Timer:
    """One timer function at work."""

    def __init__(
        self,
        function: TimerFunction,
        statuses: TimerStatuses,
        run: Callable[[TimerFunction, TimerRequest], object],
        clock: Clock,
    ) -> None:
        self.function = function
        self._statuses = statuses
        self._run = run
        self._lock = threading.Lock()
        self._status: Status | None = None
        self._monitored = function.use_monitor and not often(function.schedule, clock.now())

    def due_in(self, now: datetime) -> timedelta:
        """Return how long to wait for the next run; zero or less: it is due."""
        return self._status.next - now if self._status else timedelta(0)

    def tick(self, now: datetime) -> bool:
        """Run the function once if it is due, however many runs were missed; return whether it ran.

        The first tick is the timer's start: a stored time that has passed is made up then.
        """
        with self._lock:
            starting = self._status is None
            status = self._status = self._status or self._begin(now)
            past_due = starting and now > status.next
            if now < status.next and not (starting and self.function.run_on_startup):
                return False
            self._fire(status, past_due)
            # Counted from the start: after a run that took longer, the next one starts at once.
            self._remember(Status(now, self.function.schedule.after(now), now))
            return True

    def run_now(self) -> object:
        """Run the function outside its schedule, after a run at work has ended."""
        with self._lock:
            return self._fire(self._status, past_due=False)

    def _begin(self, now: datetime) -> Status:
        function = self.function
        stored = self._statuses.read(function.name, function.schedule_text)
        if stored and self._monitored:
            return stored
        return self._remember(Status(NEVER, function.schedule.after(now), NEVER))

    def _remember(self, status: Status) -> Status:
        self._status = status
        if self._monitored:
            self._statuses.write(self.function.name, self.function.schedule_text, status)
        return status

    def _fire(self, status: Status | None, past_due: bool) -> object:
        monitored = status if self._monitored else None
        request = TimerRequest(
            past_due=past_due,
            schedule_status={
                "Last": monitored.last.isoformat(),
                "Next": monitored.next.isoformat(),
                "LastUpdated": monitored.updated.isoformat(),
            }
            if monitored
            else {},
            schedule={"AdjustForDST": True},
        )
        return self._run(self.function, request)
