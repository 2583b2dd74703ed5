"""How agentmeter itself is, told after every tick: to AppMetrics, and to GET /metrics."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from shared.alerting.record import RuleRecord
from shared.errors import AgentmeterError
from shared.metrics.metric import Metric
from shared.metrics.own import HEARTBEAT, LAG, OUTBOX
from shared.metrics.points import Sampled
from shared.ports import AlertStore, Exported, Exporter, SeriesStore
from shared.usecases.evaluate import TickReport
from shared.usecases.rows import metric_row

SOURCE = "agentmeter"
MINUTE = timedelta(minutes=1)

logger = logging.getLogger(__name__)


class Vitals:
    """Measures what the stores say after a tick, and sends it."""

    def __init__(
        self,
        alerts: AlertStore,
        series: SeriesStore,
        exporter: Callable[[], Exporter],
        *others: Callable[[datetime], Sequence[Sampled]],
    ) -> None:
        """exporter: is called at each tick, so that a wrong setting of it stops no page.

        others: what else is told at a planned time; they never raise.
        """
        self._alerts = alerts
        self._series = series
        self._exporter = exporter
        self._others = others

    def tell(self, tick: TickReport) -> None:
        """Tell how all is, once for each planned time.

        Never raises for an export or a store that fails: the next tick tells more recent numbers.
        """
        try:
            others = (point for other in self._others for point in other(tick.at))
            points = [gauge(HEARTBEAT, tick.at, 1), *self._gauges(tick), *others]
            self._series.apply(f"tick {tick.at.isoformat()}", points, tick.at)
            rows = [metric_row(tick.at, point) for point in points]
            outcomes = self._exporter().metrics(rows)
        except AgentmeterError as exc:
            logger.warning("agentmeter's own metrics were not sent: %s", exc)
            return
        if wrong := next((o for o in outcomes if not isinstance(o, Exported)), None):
            logger.warning("agentmeter's own metrics were not taken: %s", wrong.why)

    def _gauges(self, tick: TickReport) -> Sequence[Sampled]:
        living = {report.rule for report in tick.rules if report.outcome != "removed"}
        records = [one for one in self._alerts.load_all() if one.rule in living]
        return (
            gauge(OUTBOX, tick.at, len(self._alerts.waiting())),
            gauge(LAG, tick.at, lag_s(records, tick.at)),
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
