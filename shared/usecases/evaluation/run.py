"""What one run of the timer has read, and what it has stored so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.alerting.reading import Reading
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.usecases.evaluation.advance import due_times

MINUTE = timedelta(minutes=1)


@dataclass
class Run:
    """One run of the timer. at: its planned time, a multiple of FAST_EVERY.

    stored: the records as this run last stored them. fast: rule → what the tallies say.
    """

    at: datetime
    now: datetime
    rules: Mapping[str, Rule]
    problem: str
    stored: dict[str, RuleRecord]
    fast: dict[str, Reading] = field(default_factory=dict[str, Reading])

    @property
    def minute(self) -> datetime:
        """Return the planned time of the main looks."""
        return floor(self.now, MINUTE)

    def record(self, rule: Rule) -> RuleRecord:
        """Return the rule's record, or a fresh one."""
        return self.stored.get(rule.key) or RuleRecord(rule.key)

    def due_times(self, rule: Rule) -> Sequence[datetime]:
        """Return the planned times at which the rule is due."""
        return due_times(rule, self.record(rule), self.minute)
