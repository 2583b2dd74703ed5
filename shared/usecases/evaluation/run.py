"""A run of the timer: its moment, the rules, and their records as they are stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.alerting.reading import Reading
from shared.alerting.record import RuleRecord
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.alerting.succession import record_of
from shared.usecases.evaluation.advance import Advanced, due_times

FAST_EVERY = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)


@dataclass
class Run:
    """One run of the timer. at: its planned time, a multiple of FAST_EVERY.

    stored: the records as this run last stored them. fast: rule → what the tallies say. left_out:
    rule → how many of its tallied series are not judged.
    """

    at: datetime
    now: datetime
    rules: Mapping[str, Rule]
    problem: str
    stored: dict[str, RuleRecord]
    fast: dict[str, Reading] = field(default_factory=dict[str, Reading])
    left_out: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def minute(self) -> datetime:
        """Return the planned time of the main conditions."""
        return floor(self.now, MINUTE)

    def record(self, rule: Rule) -> RuleRecord:
        """Return the rule's record, or a fresh one."""
        return record_of(rule, self.stored, self.rules.keys())

    def due_times(self, rule: Rule) -> Sequence[datetime]:
        """Return the planned times at which the rule is due."""
        return due_times(rule, self.record(rule), self.minute)

    def waits(self, item: Advanced) -> bool:
        """Return whether the log has not answered to a rule that is due."""
        return bool(self.due_times(item.rule)) and not item.due.times

    def is_new(self, item: Advanced) -> bool:
        """Return whether the alerts of the rule are others than what is stored."""
        stored = self.stored.get(item.rule.key)
        return bool(item.transitions) or item.record.series != (stored.series if stored else {})
