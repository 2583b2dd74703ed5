"""Returns the state of each budget: what is spent of it, what will be, and what has no price."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import cast

from shared.alerting.budget import Budget
from shared.alerting.budget_rules import FORECAST_FROM, scope_filter
from shared.alerting.rule import bind
from shared.errors import GiveUp, RetryLater
from shared.ports import UsageLog
from shared.store_ports import AlertStore
from shared.usecases.spending.bill import DISPLAYED_DIGITS
from shared.usecases.spending.costs import LATEST, named
from shared.usecases.spending.spent_query import ROWS, UNPRICED_MOVES

QUERIES_AT_ONCE = 4
REMEDY = "Ask again in a minute; GET /api/health says whether the rules get answers."

States = Mapping[str, str]
"""Key of a rule → pending or firing; inactive ones are left out."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget in its period. start, end: of the period, which end is not in.

    spent_usd: of the calls that have a price; None where there are calls and none has one.
    forecast_usd: of the whole period at its pace so far; None until enough of it has passed.
    unpriced_calls: those that spent_usd knows nothing of. states: as States.
    """

    budget: Budget
    start: datetime
    end: datetime
    spent_usd: float | None
    forecast_usd: float | None
    unpriced_calls: int
    states: States


class Budgets:
    """Reads the usage log and the alerts; changes nothing."""

    def __init__(
        self, log: UsageLog, alerts: AlertStore, budgets: Callable[[], Sequence[Budget]]
    ) -> None:
        self._log = log
        self._alerts = alerts
        self._budgets = budgets

    def standings(self, now: datetime) -> Sequence[Standing]:
        """Return where every budget stands, in the order of the file.

        Raises:
            Misconfigured: the budgets cannot be read.
            RetryLater: the log did not answer, or not wholly.
        """
        budgets = self._budgets()
        states = {
            record.rule: "firing" if record.firing else "pending"
            for record in self._alerts.load_all()
            if record.series
        }
        with ThreadPoolExecutor(QUERIES_AT_ONCE) as pool:
            return list(pool.map(partial(self._standing, now, states), budgets))

    def _standing(self, now: datetime, states: States, budget: Budget) -> Standing:
        start, end = budget.calendar.start(now), budget.calendar.end(now)
        (row,) = self._ask(budget, start, now)
        calls, unpriced = (
            int(cast("int | None", row[name]) or 0) for name in ("Calls", "Unpriced")
        )
        spent = round(cast("float | None", row["Spent"]) or 0.0, DISPLAYED_DIGITS)
        is_known = unpriced < calls or not calls
        passed = (now - start) / (end - start)
        is_late_enough = is_known and passed * FORECAST_FROM >= 1
        return Standing(
            *(budget, start, end),
            spent_usd=spent if is_known else None,
            forecast_usd=spent / passed if is_late_enough else None,
            unpriced_calls=unpriced,
            states=states,
        )

    def _ask(
        self, budget: Budget, start: datetime, end: datetime
    ) -> Sequence[Mapping[str, object]]:
        query = bind(budget_query(budget), start, end)
        try:
            return list(named(self._log.query(query, start, end + LATEST)))
        except (GiveUp, RetryLater) as exc:
            raise RetryLater(
                f"What budget {budget.name} has spent is not known: {exc} {REMEDY}"
            ) from exc


def budget_query(budget: Budget) -> str:
    """Return the KQL that sums up what the budget is for, its bounds yet to be put in."""
    return f"""{ROWS}{scope_filter(budget)}
| extend Moved = iff(Name == "llm.call", Count, AdjustedCount)
| summarize Spent = sum(CostUsd), Calls = sum(Count), Unpriced = {UNPRICED_MOVES}"""
