"""What answers questions on an alert, a cost or a piece of work, made when first asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.alerting.grouping import Routes
from shared.alerting.muting import Silence
from shared.alerting.rule import Rule
from shared.ports import UsageLog
from shared.store_ports import AlertStore
from shared.usecases.explaining.context import Context
from shared.usecases.explaining.dearest import Dearest
from shared.usecases.explaining.find_alert import Subjects
from shared.usecases.explaining.verdicts import Verdicts
from shared.usecases.explaining.why import Why
from shared.usecases.explaining.work import Work
from shared.usecases.spending.calls import CallList
from shared.usecases.spending.costs import Costs


@dataclass(frozen=True)
class Answers:
    """The use cases that only read, but for verdicts. rules: agentmeter's own among them."""

    log: UsageLog
    alerts: AlertStore
    rules: Callable[[], Sequence[Rule]]
    routes: Callable[[], Routes]
    silences: Callable[[], Sequence[Silence]]

    @cached_property
    def why(self) -> Why:
        """Explains an alert."""
        return Why(self._subjects, self.alerts, self.routes, self.silences)

    @cached_property
    def context(self) -> Context:
        """Shows what surrounds an alert."""
        return Context(self._subjects, self.alerts, self.log)

    @cached_property
    def verdicts(self) -> Verdicts:
        """Takes what people say of an alert."""
        return Verdicts(self._subjects, self.alerts)

    @cached_property
    def _subjects(self) -> Subjects:
        """Finds the alert that a person means."""
        return Subjects(self.alerts, self.rules)

    @cached_property
    def costs(self) -> Costs:
        """Sums what was spent."""
        return Costs(self.log)

    @cached_property
    def calls(self) -> CallList:
        """Lists the calls that were paid for."""
        return CallList(self.log)

    @cached_property
    def work(self) -> Work:
        """Shows what agents did."""
        return Work(self.log)

    @cached_property
    def dearest(self) -> Dearest:
        """Lists what agents did by what it cost."""
        return Dearest(self.log)
