"""Answers what people and machines ask: metrics, alerts, health."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.alerting.failing import awaited, failing
from shared.alerting.history import alert_id
from shared.alerting.record import RuleRecord, SeriesAlert
from shared.alerting.rule import Rule
from shared.alerting.schedule import AHEAD_MOST
from shared.errors import AgentmeterError
from shared.metrics.own import CONFIG_PROBLEMS, EVENT_LAG, LOG_LAG
from shared.metrics.prometheus import STALE_AFTER, Format, exposition
from shared.store_ports import AlertStore, SeriesStore, SetAside

TICK_OVERDUE = timedelta(minutes=3)
LATE_S = 180
SENDERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the health report. remedy: what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


class Report:
    """Reads the stores; changes nothing."""

    def __init__(
        self,
        series: SeriesStore,
        alerts: AlertStore,
        set_aside: SetAside,
        rules: Callable[[], Sequence[Rule]],
        config: Mapping[str, Callable[[], str]],
        started_at: datetime,
    ) -> None:
        """config: file of the configuration → reads it and says what is in it, or raises."""
        self._series = series
        self._alerts = alerts
        self._set_aside = set_aside
        self._rules = rules
        self._config = config
        self._started_at = started_at

    def metrics(self, now: datetime, form: Format) -> str:
        """Return the running totals for Prometheus, and which files are wrong now."""
        state = self._series.read()
        wrong = {
            (CONFIG_PROBLEMS.name, (("file", check.name),), ""): (now, float(not check.ok))
            for check in self._check_config()
        }
        return exposition(replace(state, gauges={**state.gauges, **wrong}), now, form)

    def alerts(self) -> dict[str, object]:
        """Return every rule with its state, the alerts that are pending or firing, and the pages
        that wait to be sent."""
        records = {record.rule: record for record in self._alerts.load_all()}
        return {
            "rules": [_rule(rule, records.get(rule.key)) for rule in self._rules()],
            "alerts": [
                _alert(record, key, alert)
                for record in records.values()
                for key, alert in record.series.items()
            ],
            "waiting_pages": len(self._alerts.waiting()),
        }

    def health(self, now: datetime) -> list[Check]:
        """Return what works and what does not, each with the remedy."""
        pages = self._check_outbox(now), self._check_state()
        return [*self._check_config(), self._check_ticks(now), *pages, *self._check_lateness(now)]

    def watchdog(self, now: datetime) -> Check:
        """Return whether rules are evaluated: the last good time is at most three minutes old, and
        no rule has had no answer for five.
        """
        return self._check_ticks(now)

    def _check_config(self) -> list[Check]:
        return [_read(name, read) for name, read in self._config.items()]

    def _check_ticks(self, now: datetime) -> Check:
        """Return whether rules are evaluated, every one of them."""
        records = self._alerts.load_all()
        last = max((one.last_good_at for one in records if one.last_good_at), default=None)
        since = now - (last or self._started_at)
        # A time ahead of the clock is no sign of life: a clock was wrong when it was written.
        late = not -AHEAD_MOST <= since <= TICK_OVERDUE
        said = f"last good evaluation {last.isoformat()}" if last else "no evaluation yet"
        known = {rule.key for rule in self._rules()}
        if fresh := awaited([one for one in records if one.rule in known], now):
            return Check("evaluation", True, f"awaiting a fresh deployment's first answer: {fresh}")
        if failed := failing(records, now):
            said += f"; without an answer for 5 minutes and more: {', '.join(sorted(failed))}"
        return Check(
            *("evaluation", not late and not failed, said),
            "See the log of evaluate_alerts, and last_error in GET /api/alerts; LOGS_WORKSPACE_ID "
            "and the role Log Analytics Reader are what it needs.",
        )

    def _check_lateness(self, now: datetime) -> list[Check]:
        """Say how late the log shows rows, and which senders' events are late."""
        fresh = {
            (name, labels): value
            for (name, labels, _), (at, value) in self._series.read().gauges.items()
            if now - at <= STALE_AFTER
        }
        lag_s = fresh.get((LOG_LAG.name, ()))
        late_s = {dict(k[1])["event_source"]: v for k, v in fresh.items() if k[0] == EVENT_LAG.name}
        checks = [Check("senders", True, _senders(late_s))]
        if lag_s is None:
            return checks
        found = f"queries find rows at least {lag_s:.0f} s after they were sent"
        remedy = "Fast conditions do not wait for that; see docs/runbooks/TelemetryLate.md."
        return [*checks, Check("log", lag_s < LATE_S, found, remedy)]

    def _check_outbox(self, now: datetime) -> Check:
        waiting = [page for page in self._alerts.waiting() if page.action != "change"]
        stuck = [page for page in waiting if now - page.created_at > TICK_OVERDUE]
        said = ("1 page waits" if len(waiting) == 1 else f"{len(waiting)} pages wait") + (
            f", the oldest since {stuck[0].created_at.isoformat()}: {stuck[0].last_status}"
            if stuck
            else ""
        )
        return Check(
            *("pages", not stuck, said),
            "Look up the notifier's answer above; keys are in the PAGERDUTY_ settings.",
        )

    def _check_state(self) -> Check:
        """Say what of the stored state cannot be read."""
        lost = self._set_aside.listed()
        said = "; ".join(f"{one.rule}, {one.kind}: {one.why}" for one in lost)
        return Check(
            *("alert state", not lost, said or "all of it can be read"),
            "`bin/ops pages list` shows it; docs/runbooks/AlertStateUnreadable.md.",
        )


def _read(name: str, read: Callable[[], str]) -> Check:
    """Read a file of the configuration."""
    try:
        return Check(name, True, read())
    except AgentmeterError as exc:
        return Check(name, False, str(exc), "Run `bin/ops check`, fix, deploy again.")


def _rule(rule: Rule, record: RuleRecord | None) -> dict[str, object]:
    """Sum up a rule for a person."""
    phases = {alert.phase for alert in record.series.values()} if record else set[str]()
    state = "firing" if "firing" in phases else "pending" if phases else "inactive"
    return {
        "id": alert_id(rule.key),
        "rule": rule.key,
        "group": rule.group,
        "state": state,
        "last_evaluated_at": _iso(record.last_at if record else None),
        "last_good_at": _iso(record.last_good_at if record else None),
        "errors": record.errors if record else 0,
        "last_error": record.last_error if record else "",
        "failing_since": _iso(record.failing_since if record else None),
        "left_out": record.left_out if record else 0,
        "muted_by": record.muted_by if record else "",
        "incident_opened_at": _iso(
            min((one.opened_at for one in record.incidents.values()), default=None)
            if record
            else None
        ),
        "open_incidents": len(record.incidents) if record else 0,
    }


def _alert(record: RuleRecord, key: str, alert: SeriesAlert) -> dict[str, object]:
    """Sum up the alert of one series, known by its fingerprint."""
    name, _, severity = record.rule.rpartition("/")
    return {
        "id": alert_id(record.rule, key),
        "alert": name,
        "severity": severity,
        "labels": dict(alert.labels),
        "state": alert.phase,
        "value": alert.value,
        "since": _iso(alert.since),
        "fired_at": _iso(alert.fired_at),
    }


def _iso(moment: datetime | None) -> str | None:
    """Write a moment, or nothing."""
    return moment.isoformat() if moment else None


def _senders(late_s: Mapping[str, float]) -> str:
    """Name the senders whose events come late, and those whose clock is ahead, the worst first."""
    worst = sorted(late_s, key=lambda source: -abs(late_s[source]))
    shown = {source: late_s[source] for source in worst[:SENDERS_SHOWN]}
    late = [f"{source} by {seconds:.0f} s" for source, seconds in shown.items() if seconds > 0]
    ahead = [f"{source} by {-seconds:.0f} s" for source, seconds in shown.items() if seconds <= 0]
    said = [f"events come late, or a clock is slow: {', '.join(late)}"] if late else []
    said += [f"a clock is ahead: {', '.join(ahead)}"] if ahead else []
    said += [f"{len(worst) - len(shown)} more"] if len(worst) > len(shown) else []
    return "; ".join(said) or "events of every sender come in time"
