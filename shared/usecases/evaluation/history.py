"""Exports the history of alerts to Azure Monitor, where it outlives the store."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from shared.alerting.history import News, Step
from shared.alerting.history_columns import NAMES, ROW_ID
from shared.errors import AgentmeterError, RetryLater
from shared.metrics.alerts import ALERTS
from shared.metrics.derive import Measure
from shared.metrics.tally import tally
from shared.ports import Exporter
from shared.rows import EventRow, ExportLater, ExportOutcome, ExportRefused
from shared.store_ports import AlertStore, SeriesStore
from shared.usecases.processing.exporting import nearest

MOST_AT_ONCE = 50
"""Writes whose steps are exported in one tick: with a backlog, the next ticks go on."""
MOST_GIVEN_UP = 1000
QUERY_CHARS = 8000
"""Of the query in a row; a property holds 8,192 characters."""

logger = logging.getLogger(__name__)


class History:
    """Exports each stored step at least once, and counts it in the metrics once."""

    def __init__(
        self, alerts: AlertStore, series: SeriesStore, exporter: Callable[[], Exporter]
    ) -> None:
        """exporter: is called when there is news, so that a wrong setting of it stops no page."""
        self._alerts = alerts
        self._series = series
        self._exporter = exporter

    def export(self, now: datetime) -> int:
        """Export what is stored and not yet exported; return how many steps that were.

        Never raises for an export or a store that fails: the next tick tries again.
        """
        exported = 0
        try:
            for news in self._alerts.log.news(MOST_AT_ONCE):
                self._export(news, now)
                exported += len(news.steps)
        except AgentmeterError as exc:
            logger.warning("the history of alerts waits for the next tick: %s", exc)
        return exported

    def forget(self, before: datetime) -> int:
        """Give up the export of what waits since before that moment; return how many steps.

        An export that never works must not fill the store, which keeps the latest steps anyway.
        """
        old = [one for one in self._alerts.log.news(MOST_GIVEN_UP) if one.steps[-1].at < before]
        for news in old:
            self._alerts.log.mark_exported(news)
        given_up = sum(len(news.steps) for news in old)
        if given_up:
            logger.error("%s steps of alerts were never exported and are given up", given_up)
        return given_up

    def _export(self, news: News, now: datetime) -> None:
        """Export first, then note it: a crash between repeats rows that AlertHistory shows once."""
        _judge(self._exporter().events([step_row(step, now) for step in news.steps]))
        points = tally(measure for step in news.steps for measure in measures(step))
        self._series.apply(news.id, points, now)
        self._alerts.log.mark_exported(news)


def step_row(step: Step, now: datetime) -> EventRow:
    """Return the step's row of AppEvents; it has no `id`, so it is none of UsageEvents."""
    at = nearest(step.at, now)
    name, _, severity = step.rule.rpartition("/")
    found = next((item for item in step.evidence if item.look == step.texts.get("look")), None)
    samples = found.rows[0].samples if found and found.rows else None
    text = {
        ROW_ID: step.id,
        "alert": name,
        "severity": severity,
        "alert_id": step.alert,
        "series": json.dumps(dict(step.series), sort_keys=True, ensure_ascii=False),
        "state": step.state,
        "reason": step.reason,
        "episode": step.episode,
        "evidence_query": found.query.strip()[:QUERY_CHARS] if found else "",
        "occurred_at": "" if at == step.at else step.at.astimezone(UTC).isoformat(),
        **step.texts,
    }
    numbers = dict(step.numbers) if samples is None else {**step.numbers, "samples": samples}
    return EventRow(NAMES[step.kind], at, {k: v for k, v in text.items() if v}, numbers)


def measures(step: Step) -> Iterator[Measure]:
    """Yield what the step adds to each metric about alerts."""
    rule = tuple(step.rule.rsplit("/", 1))
    for metric in ALERTS:
        for values, amount in metric.read(step, None):
            yield Measure(metric, (*rule, *values), amount, 1, "agentmeter", step.at)


def _judge(outcomes: Sequence[ExportOutcome]) -> None:
    """Have all of it sent again if any item wants that; what is refused for good is in the log.

    Raises:
        RetryLater: Azure Monitor did not take it all.
    """
    for outcome in outcomes:
        if isinstance(outcome, ExportLater):
            raise RetryLater(outcome.why, outcome.retry_after_s)
        if isinstance(outcome, ExportRefused):
            logger.error("a row of the alerts' history was refused for good: %s", outcome.why)
