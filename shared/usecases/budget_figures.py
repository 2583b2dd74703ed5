"""Where the budgets stand, as gauges: what workbooks and Grafana show of them."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.errors import AgentmeterError
from shared.metrics.metric import Metric
from shared.metrics.own import (
    BUDGET_AMOUNT,
    BUDGET_FORECAST,
    BUDGET_SPENT,
    BUDGET_UNPRICED,
)
from shared.metrics.points import Sampled
from shared.usecases.evaluation.own_gauges import SOURCE
from shared.usecases.spending.budgets import Budgets, Standing

EVERY_MINUTES = 4
"""Each look asks a query for each budget; a gauge that is five minutes old counts as gone."""

logger = logging.getLogger(__name__)


class BudgetFigures:
    """Measures the budgets now and then."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets

    def at(self, now: datetime) -> Sequence[Sampled]:
        """Return the gauges of every budget; none where it is not time for them, or no answer.

        now: a whole minute. A sum or forecast that is not known has no gauge: it is not 0.
        """
        if now.minute % EVERY_MINUTES:
            return ()
        try:
            standings = self._budgets.standings(now)
        except AgentmeterError as exc:
            logger.warning("Where the budgets stand was not measured: %s", exc)
            return ()
        return [sample for one in standings for sample in _samples(one, now)]


def _samples(one: Standing, now: datetime) -> Iterator[Sampled]:
    values: Sequence[tuple[Metric, float | None]] = (
        (BUDGET_AMOUNT, float(one.budget.amount_usd)),
        (BUDGET_SPENT, one.spent_usd),
        (BUDGET_FORECAST, one.forecast_usd),
        (BUDGET_UNPRICED, one.unpriced_calls),
    )
    labels = (("budget", one.budget.name),)
    for metric, value in values:
        if value is not None:
            yield Sampled(metric.name, labels, SOURCE, now, value)
