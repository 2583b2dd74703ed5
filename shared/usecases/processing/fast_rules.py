"""Knows what counts for the fast conditions of the rules in force."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from shared.alerting.count_fast import CountFast
from shared.alerting.rule import Rule
from shared.errors import AgentmeterError

READ_EVERY = timedelta(seconds=15)


class FastRules:
    """Reads the rules now and then, and goes on with what they were where they cannot be read."""

    def __init__(self, rules: Callable[[], Sequence[Rule]]) -> None:
        self._rules = rules
        self._read: Sequence[Rule] = ()
        self._count = CountFast(())
        self._next: datetime | None = None

    def count(self, now: datetime) -> CountFast:
        """Return what counts; never raises for rules that are wrong."""
        if self._next is None or not self._next - READ_EVERY <= now < self._next:
            self._next = now + READ_EVERY
            try:
                rules = self._rules()
            except AgentmeterError:
                return self._count
            if rules is not self._read:
                self._read = rules
                self._count = CountFast(rule.tallied for rule in rules if rule.tallied)
        return self._count
