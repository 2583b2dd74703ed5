"""How long hard failures take from the first event to the page, and whether short ones page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from replay.failures import HEALTHY_FOR, TRUSTING, Failure, apart
from replay.pager import Attempt
from replay.plan import Plan
from replay.run import replay
from replay.series import record
from replay.world import Config
from shared.alerting.grouping import Routes
from shared.alerting.rule import Rule

START = datetime(2026, 1, 5, tzinfo=UTC)
FOLLOWED = timedelta(minutes=5)
FLUSH_S, POLL_S = 5, 5
"""How often a client posts, and the longest that an idle queue listener waits (host.json)."""


@dataclass(frozen=True, slots=True)
class Trial:
    """When failures begin, and how they are seen.

    phase_s: the second of a minute in which they begin; the timer runs at second 0.
    delay_s: how late rows are found; jitter_s: up to so much later, each by itself. lasts_s: until
    all is well again. queue_s: how long a message waits: a poll, or the start of a process.
    status: what Azure Monitor answers all the time.
    """

    phase_s: int
    delay_s: int = 0
    jitter_s: int = 0
    queue_s: int = POLL_S
    status: int | None = None
    lasts_s: int = int(FOLLOWED.total_seconds())

    @property
    def onset(self) -> timedelta:
        """Return when they begin, from the start of the recording."""
        return HEALTHY_FOR + timedelta(seconds=self.phase_s)


@dataclass(frozen=True, slots=True)
class Lab:
    """Where failures are tried on the rules."""

    rules: Sequence[Rule]
    routes: Routes

    def pages_after_s(self, failures: Sequence[Failure], trial: Trial) -> Mapping[str, float]:
        """Return, by rule, the seconds from the first bad event to the first call that PagerDuty
        took; nothing for a rule without a page."""
        first: dict[str, float] = {}
        for lot in apart(failures):
            for call in self._calls(lot, trial):
                waited_s = (call.at - START - trial.onset).total_seconds()
                first.setdefault(call.page.rule.partition("/")[0], waited_s)
        return first

    def _calls(self, failures: Sequence[Failure], trial: Trial) -> Sequence[Attempt]:
        """Play the failures to the rules that page for them; the time before is history."""
        named = {failure.rule for failure in failures}
        after = max(FOLLOWED - timedelta(seconds=trial.lasts_s), timedelta())
        lasts = timedelta(seconds=trial.lasts_s)
        series = [one for item in failures for one in item.series(trial.onset, lasts, after)]
        faults = [] if trial.status is None else [{"from": 0, "to": 3600, "status": trial.status}]
        plan = Plan.model_validate(
            {
                "start": START + HEALTHY_FOR,
                "duration_s": FOLLOWED.total_seconds(),
                "ingest_delay_s": trial.delay_s,
                "ingest_jitter_s": trial.jitter_s,
                "flush_s": FLUSH_S,
                "queue_s": trial.queue_s,
                "ingestion_faults": faults,
            }
        )
        config = Config([one for one in self.rules if one.name in named], self.routes, TRUSTING)
        happened = replay(plan, config, record(series, START), lambda _: None)
        if happened.failed or happened.refused:
            raise ValueError(f"The trial itself is wrong: {happened.failed or happened.refused}")
        return happened.attempts
