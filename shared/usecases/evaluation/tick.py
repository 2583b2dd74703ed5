"""What each run of the timer does: pages, rules, their pages, then history."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from shared.alerting.schedule import floor
from shared.errors import AgentmeterError, Misconfigured
from shared.events.message import beat
from shared.ports import Heartbeat, Turns
from shared.usecases.evaluation.deliver import Deliver, DeliveryReport
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.evaluation.history import History
from shared.usecases.evaluation.own_gauges import Vitals
from shared.usecases.evaluation.run_report import TickReport
from shared.usecases.evaluation.write_metrics import Minutely

MEMORY_LIVES = timedelta(days=8)
HOUSEKEEPING_MINUTE = 7
MINUTE = timedelta(minutes=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a run did, for the log. forgotten: old rows that were dropped, None when not due."""

    delivered: tuple[DeliveryReport, ...]
    evaluated: TickReport
    forgotten: int | None

    @property
    def complete(self) -> bool:
        """Return whether every rule had its answer, and no page was left waiting or unsent."""
        pages = all(report.later == 0 for report in self.delivered)
        return self.evaluated.complete and pages


class Memory(Protocol):
    """What grows with time, and of which old parts are of no use."""

    def forget(self, before: datetime) -> int:
        """Drop what is older; return how many."""
        ...


class Tick:
    """Runs the parts in their order: pages that are due and fast conditions before all that asks
    the log. What belongs to a minute is done by its first run, and again if that failed."""

    def __init__(
        self,
        deliver: Deliver,
        evaluate: Evaluate,
        history: History,
        vitals: Vitals,
        minutely: Minutely,
        put: Callable[[Sequence[str]], None],
        *memories: Memory,
    ) -> None:
        """put: into the queue, where each minute's heartbeat goes the way of the events.

        memories: what is cleaned once an hour.
        """
        self._deliver = deliver
        self._evaluate = evaluate
        self._history = history
        self._vitals = vitals
        self._minutely = minutely
        self._put = put
        self._memories = memories
        self._lock = Lock()
        self._minute: datetime | None = None

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due at `now`; one at a time.

        Raises:
            Misconfigured: the rules cannot be read, and never could; all else was done.
        """
        with self._lock:
            minute = floor(now, MINUTE)
            if minute == self._minute:
                return self._run(now, is_first=False)
            try:
                ticked = self._run(now, is_first=True)
            finally:
                self._minutely.write(now)
            self._minute = minute
            return ticked

    def run_fast(self, now: datetime) -> Ticked:
        """Deliver what is due, judge fast conditions, deliver their pages; without the log."""
        delivered = [self._deliver.run(now)]
        fast = self._evaluate.fast(self._evaluate.begin(now))
        if fast.pages:
            delivered.append(self._deliver.run(now))
        return Ticked(tuple(delivered), fast, None)

    def _run(self, now: datetime, *, is_first: bool) -> Ticked:
        """Do everything but write the minute's metrics; raises as run()."""
        delivered = [self._deliver.run(now)]
        if is_first:
            self._beat(floor(now, MINUTE))
        run = self._evaluate.begin(now)
        fast = self._evaluate.fast(run)
        if fast.pages:
            delivered.append(self._deliver.run(now))
        main = self._evaluate.main(run)
        if is_first or main.pages:
            delivered.append(self._deliver.run(now))
        forgotten = self._keep_house(now) if is_first else None
        evaluated = main.after(fast)
        self._history.export(now)
        if is_first:
            self._vitals.record(main)
        if evaluated.problem:
            raise Misconfigured(evaluated.problem)
        return Ticked(tuple(delivered), evaluated, forgotten)

    def _beat(self, minute: datetime) -> None:
        """Send the minute's heartbeat; without it, fast conditions wait for the next."""
        try:
            self._put([beat(minute)])
        except AgentmeterError as exc:
            logger.warning("The heartbeat of this minute was not queued: %s", exc)

    def _keep_house(self, now: datetime) -> int | None:
        """Once an hour, drop what no repeat can ask for any more, and silences long over."""
        if now.minute != HOUSEKEEPING_MINUTE:
            return None
        return sum(memory.forget(now - MEMORY_LIVES) for memory in self._memories)


class Ticks(Protocol):
    """What the timer runs."""

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due."""
        ...


class Heard:
    """A tick that is noted, so that none stands in for the timer while it runs."""

    def __init__(self, tick: Ticks, turns: Turns) -> None:
        self._tick = tick
        self._turns = turns

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due, then note it; raises as Tick."""
        ticked = self._tick.run(now)
        try:
            self._turns.evaluated(now)
        except AgentmeterError as exc:
            logger.warning("That rules were evaluated is not noted: %s", exc)
        return ticked


class Watched:
    """A tick that sends a heartbeat when it was complete: a missing one is the alarm."""

    def __init__(self, tick: Ticks, heartbeat: Heartbeat) -> None:
        self._tick = tick
        self._heartbeat = heartbeat

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due at `now`, and return whether all of it went well. Raises as
        Tick.
        """
        ticked = self._tick.run(now)
        if ticked.complete:
            self._heartbeat.beat()
        return ticked
