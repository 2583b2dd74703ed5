"""Measures agentmeter itself and its budgets after every tick, as gauges in the running totals."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from shared.alerting.record import RuleRecord
from shared.errors import AgentmeterError
from shared.metrics.metric import Metric
from shared.metrics.own import (
    BUDGET_AMOUNT,
    BUDGET_FORECAST,
    BUDGET_SPENT,
    BUDGET_UNPRICED,
    HEARTBEAT,
    LAG,
    LOG_LAG,
    OUTBOX,
)
from shared.metrics.points import Sampled
from shared.store_ports import AlertStore, SeriesStore
from shared.usecases.evaluation.run_report import TickReport
from shared.usecases.spending.budgets import Budgets, Standing

SOURCE = "agentmeter"
MINUTE = timedelta(minutes=1)
EVERY_MINUTES = 4
"""A measurement is a query for each budget; a gauge that is five minutes old counts as gone."""

logger = logging.getLogger(__name__)


class Vitals:
    """Measures what the stores say after a tick."""

    def __init__(
        self,
        alerts: AlertStore,
        series: SeriesStore,
        *others: Callable[[datetime], Sequence[Sampled]],
    ) -> None:
        """others: further points of a planned time; they never raise."""
        self._alerts = alerts
        self._series = series
        self._others = others

    def record(self, tick: TickReport) -> None:
        """Record the state of the app, once for each planned time.

        Never raises for a store that fails: the next tick has more recent numbers.
        """
        try:
            others = (point for other in self._others for point in other(tick.at))
            points = [gauge(HEARTBEAT, tick.at, 1), *self._gauges(tick), *others]
            self._series.apply(f"tick {tick.at.isoformat()}", points, tick.at)
        except AgentmeterError as exc:
            logger.warning("agentmeter's own metrics were not counted: %s", exc)

    def _gauges(self, tick: TickReport) -> Sequence[Sampled]:
        living = {report.rule for report in tick.rules if report.outcome != "removed"}
        records = [one for one in self._alerts.load_all() if one.rule in living]
        return (
            gauge(OUTBOX, tick.at, len(self._alerts.waiting())),
            gauge(LAG, tick.at, lag_s(records, tick.at)),
            *([gauge(LOG_LAG, tick.at, tick.lag.total_seconds())] if tick.lag is not None else []),
        )


def gauge(metric: Metric, at: datetime, value: float) -> Sampled:
    """Return a value of agentmeter's own."""
    return Sampled(metric.name, (), SOURCE, at, value)


def lag_s(records: Iterable[RuleRecord], now: datetime) -> float:
    """Return the seconds since the last good evaluation of the rule that waits longest.

    A rule that never had an answer waits for as many minutes as it had failures.
    """
    lags = (now - (one.last_good_at or now - MINUTE * one.errors) for one in records)
    return max((lag.total_seconds() for lag in lags), default=0.0)


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
