"""What happens every minute: pages out, rules evaluated, their pages out; then all is told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.errors import Misconfigured
from shared.ports import Heartbeat
from shared.usecases.evaluation.deliver import Deliver, DeliveryReport
from shared.usecases.evaluation.evaluate import Evaluate, TickReport
from shared.usecases.evaluation.history import History
from shared.usecases.evaluation.own_gauges import Vitals
from shared.usecases.evaluation.write_metrics import Minutely

MEMORY_LIVES = timedelta(days=8)
HOUSEKEEPING_MINUTE = 7


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick did, for the log. forgotten: old rows that were dropped, None when not due."""

    delivered: tuple[DeliveryReport, DeliveryReport]
    evaluated: TickReport
    forgotten: int | None

    @property
    def complete(self) -> bool:
        """Tell whether every rule had its answer, and no page was left waiting or unsent."""
        pages = all(report.later == 0 for report in self.delivered)
        return self.evaluated.complete and pages


class Memory(Protocol):
    """What grows with time, and of which old parts are of no use."""

    def forget(self, before: datetime) -> int:
        """Drop what is older; return how many."""
        ...


class Tick:
    """Runs the parts in their order; what is due goes out, and what was counted is written, even if
    the evaluation fails."""

    def __init__(
        self,
        deliver: Deliver,
        evaluate: Evaluate,
        history: History,
        vitals: Vitals,
        minutely: Minutely,
        *memories: Memory,
    ) -> None:
        """memories: what is cleaned once an hour."""
        self._deliver = deliver
        self._evaluate = evaluate
        self._history = history
        self._vitals = vitals
        self._minutely = minutely
        self._memories = memories

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due at `now`.

        Raises:
            Misconfigured: the rules cannot be read, and never could; all else was done.
        """
        try:
            return self._run(now)
        finally:
            self._minutely.write(now)

    def _run(self, now: datetime) -> Ticked:
        """Do everything but write the minute's metrics; raises as run()."""
        before = self._deliver.run(now)
        evaluated = self._evaluate.tick(now)
        after = self._deliver.run(now)
        ticked = Ticked((before, after), evaluated, self._keep_house(now))
        self._history.tell(now)
        self._vitals.tell(evaluated)
        if evaluated.problem:
            raise Misconfigured(evaluated.problem)
        return ticked

    def _keep_house(self, now: datetime) -> int | None:
        """Once an hour, drop what no repeat can ask for any more, and silences long over."""
        if now.minute != HOUSEKEEPING_MINUTE:
            return None
        return sum(memory.forget(now - MEMORY_LIVES) for memory in self._memories)


class Ticks(Protocol):
    """What runs every minute."""

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due."""
        ...


class Watched:
    """A tick that somebody outside hears of when it was complete: its silence is the alarm."""

    def __init__(self, tick: Ticks, heartbeat: Heartbeat) -> None:
        self._tick = tick
        self._heartbeat = heartbeat

    def run(self, now: datetime) -> Ticked:
        """Do everything that is due at `now`, and tell if all of it went well. Raises as Tick."""
        ticked = self._tick.run(now)
        if ticked.complete:
            self._heartbeat.beat()
        return ticked
