"""Finds the alert that a person means: by its id, its rule's id or key, or the rule's name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from shared.alerting.history import Step, alert_id, episode_of
from shared.alerting.page import Severity
from shared.alerting.record import Incident, RuleRecord, SeriesAlert
from shared.alerting.rule import Rule
from shared.errors import NotFound
from shared.store_ports import AlertStore


@dataclass(frozen=True, slots=True)
class Subject:
    """An alert with all that is stored of its rule.

    id: the alert's; the rule's where it never had one. rule: None where it is no more.
    alert: None where it is inactive. steps: of the whole rule, oldest first.
    """

    id: str
    rule: Rule | None
    record: RuleRecord
    alert: SeriesAlert | None
    steps: Sequence[Step]

    @property
    def own_steps(self) -> list[Step]:
        """Return the steps of this alert, and those of its rule as a whole."""
        ids = (self.id, alert_id(self.record.rule))
        return [step for step in self.steps if step.alert in ids]

    @property
    def incident(self) -> Incident | None:
        """Return the open incident that the alert belongs to."""
        incidents = self.record.incidents
        return incidents.get(self._series) or incidents.get("")

    @property
    def decided(self) -> str:
        """Return why its last page was sent, or none was; "" where nothing fires."""
        return self.record.decided.get(self._series) or self.record.decided.get("", "")

    @property
    def _series(self) -> str:
        return self.id.removeprefix(alert_id(self.record.rule)).removeprefix(".")

    @property
    def labels(self) -> Mapping[str, str]:
        """Return the labels of its series, those of its last step where it is inactive."""
        if self.alert:
            return self.alert.labels
        own = [step.series for step in self.steps if step.alert == self.id]
        return own[-1] if own else {}

    @property
    def episode(self) -> str:
        """Return the episode that goes on, or the last one; "" where it never fired."""
        if self.alert and self.alert.fired_at:
            return episode_of(self.record.rule, self.alert)
        return next((s.episode for s in reversed(self.own_steps) if s.episode), "")


class Subjects:
    """Looks alerts up in the store."""

    def __init__(self, alerts: AlertStore, rules: Callable[[], Sequence[Rule]]) -> None:
        self._alerts = alerts
        self._rules = rules

    def find(self, id: str) -> Subject:
        """Return the alert. Of a rule, the worst one: that fires, is pending, changed last.

        Raises:
            NotFound: nothing has this id or name.
        """
        rules = {rule.key: rule for rule in self._rules()}
        records = {record.rule: record for record in self._alerts.load_all()}
        for key in _candidates(id, {*rules, *records}, records):
            record = records.get(key) or RuleRecord(key)
            steps = self._alerts.log.steps(key)
            series = id.removeprefix(alert_id(key)).removeprefix(".")
            if id in (key, key.partition("/")[0], alert_id(key)):
                found = _worst(record, steps)
            elif series in record.series or any(step.alert == id for step in steps):
                found = id
            else:
                continue
            alert = record.series.get(found.removeprefix(f"{alert_id(key)}."))
            return Subject(found, rules.get(key), record, alert, steps)
        raise NotFound(f"There is no alert or rule {id[:200]!r}. GET /api/alerts lists their ids.")


def _candidates(id: str, keys: set[str], records: dict[str, RuleRecord]) -> list[str]:
    """Return the keys of rules that may be meant, the worst first."""
    meant = [
        key
        for key in keys
        if id in (key, key.partition("/")[0]) or f"{id}.".startswith(f"{alert_id(key)}.")
    ]
    severities = get_args(Severity)
    return sorted(
        meant,
        key=lambda key: (
            not (key in records and records[key].firing),
            not (key in records and records[key].series),
            severities.index(key.rpartition("/")[2]),
        ),
    )


def _worst(record: RuleRecord, steps: Sequence[Step]) -> str:
    """Return the id of the alert that a question about the rule is about."""
    for alerts in (record.firing, record.series):
        if alerts:
            return alert_id(record.rule, min(alerts, key=lambda key: alerts[key].since))
    changed = (step.alert for step in reversed(steps) if step.kind == "transition")
    return next(changed, alert_id(record.rule))
