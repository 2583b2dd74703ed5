"""Says in a sentence or two why an alert fires or is inactive, and which pages it sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.alerting.evidence import Evidence
from shared.alerting.history import Step
from shared.alerting.page import Page
from shared.alerting.record import SeriesAlert
from shared.alerting.rule import Condition
from shared.alerting.wording import fill
from shared.store_ports import AlertStore
from shared.usecases.explaining.find_alert import Subject
from shared.usecases.explaining.unit import Unit, unit_of

_DELIVERIES = {
    "waiting": "still waits to be taken",
    "accepted": "was taken",
    "dead": "was refused for good",
    "dropped": "was not needed any more",
}
SETTLED_SEEN = 500
PAGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """A page and what became of it: waiting, accepted, dead or dropped.

    settled_at: when that was final; None while it waits.
    """

    page: Page
    delivery: str
    settled_at: datetime | None


def sent(alerts: AlertStore, rule: str) -> list[Sent]:
    """Return the latest pages of the rule, newest first."""
    waiting = [Sent(page, "waiting", None) for page in alerts.waiting() if page.rule == rule]
    settled = [
        Sent(page, type(outcome).__name__.lower(), at)
        for page, outcome, at in alerts.history(SETTLED_SEEN)
        if page.rule == rule
    ]
    pages = sorted([*waiting, *settled], key=lambda one: one.page.id, reverse=True)
    return pages[:PAGES_SHOWN]


def sentence(subject: Subject, pages: Sequence[Sent], now: datetime) -> str:
    """Return the explanation, times in UTC."""
    name = subject.record.rule.rpartition("/")[0]
    alert = subject.alert
    if alert is None:
        return f"{name} is silent: {_silent(subject)}."
    said = f"{name}{_of(alert)} {_going(subject, alert, now)}."
    return f"{said} {_notified(subject, pages, now)}." if alert.phase == "firing" else said


def _of(alert: SeriesAlert) -> str:
    """Name the series."""
    labels = ", ".join(f"{name} {value}" for name, value in alert.labels.items() if value)
    return f" of {labels}" if labels else ""


def _going(subject: Subject, alert: SeriesAlert, now: datetime) -> str:
    """Say since when it is pending or fires, and why."""
    if alert.phase == "pending":
        step = _last(subject, "pending")
        left = _soonest(subject, alert)
        fires = f"; it fires at {_time(left, now)} if that lasts" if left else ""
        return f"has been pending since {_time(alert.since, now)}: {_found(subject, step)}{fires}"
    since = _time(alert.fired_at or alert.since, now)
    calm = f", and has been calm since {_time(alert.calm_since, now)}" if alert.calm_since else ""
    return f"has fired since {since}: {_found(subject, _last(subject, 'firing'))}{calm}"


def _soonest(subject: Subject, alert: SeriesAlert) -> datetime | None:
    """Return when it fires if it stays as it is."""
    conditions = subject.rule.conditions if subject.rule else ()
    times = [
        alert.looks[condition.name].since + condition.hold
        for condition in conditions
        if condition.name in alert.looks
    ]
    return min(times, default=None)


def _last(subject: Subject, state: str) -> Step | None:
    steps = (step for step in reversed(subject.own_steps) if step.kind == "transition")
    return next((step for step in steps if step.state == state), None)


def _found(subject: Subject, step: Step | None) -> str:
    """Say what was found, in the rule's words and in figures."""
    if step is None:
        return "the evidence is older than what is kept"
    condition = _condition(subject, step.texts["look"])
    if condition is None:
        return step.reason
    unit, value = unit_of(condition), step.numbers.get("value")
    lasting = condition.tallied.lasting if condition.tallied else condition.hold
    said = fill(condition.summary, step.series, value)
    shown = "no number" if value is None else unit.write(value)
    held = f" for {_span(lasting)}" if lasting and step.state == "firing" else ""
    return f"{said} ({shown}{held}; limit {unit.write(float(condition.comparison.threshold))})"


def _notified(subject: Subject, pages: Sequence[Sent], now: datetime) -> str:
    """Say who was notified of what fires, or why no one was."""
    incident = subject.incident
    if incident is None:
        return f"No page was sent: {subject.decided or 'it has just begun'}"
    page = next((one for one in pages if one.page.id == incident.page), None)
    notified = f"Receiver {incident.route} was notified at {_time(incident.notified_at, now)}"
    if page is None:
        return notified
    status = f" ({page.page.last_status})" if page.page.last_status else ""
    muted = f"; now it is muted: {subject.record.muted_by}" if subject.record.muted_by else ""
    return f"{notified}, and the page {_DELIVERIES[page.delivery]}{status}{muted}"


def _silent(subject: Subject) -> str:
    """Say why nothing is wrong, or why that is not known."""
    record = subject.record
    if subject.rule is None:
        return "its rule is no more"
    if record.errors:
        why = record.last_error.removesuffix(".")
        return f"its queries have failed {record.errors} times in a row: {why}"
    if record.last_at is None:
        return "it has not been evaluated yet"
    found = "; ".join(_answer(item, _condition(subject, item.look)) for item in record.looked)
    return f"at {record.last_at:%H:%M} its query found {found}"


def _answer(item: Evidence, condition: Condition | None) -> str:
    """Say what a condition found in its unit; its first row is the worst."""
    if not item.rows:
        return f"no data ({item.look})"
    unit, value = unit_of(condition) if condition else Unit(), item.rows[0].value
    shown = "no number" if value is None else unit.write(value)
    return f"{shown}, limit {unit.write(item.threshold)} ({item.look})"


def _condition(subject: Subject, name: str) -> Condition | None:
    conditions = subject.rule.conditions if subject.rule else ()
    return next((condition for condition in conditions if condition.name == name), None)


def _span(span: timedelta) -> str:
    """Write a span in the largest unit that it is whole in."""
    seconds = span.total_seconds()
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and not seconds % size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _time(at: datetime, now: datetime) -> str:
    """Write the time, with its day where that is not today's."""
    near = abs(now - at) < timedelta(hours=12)
    return f"{at.astimezone(UTC):{'%H:%M' if near else '%Y-%m-%d %H:%M'}} UTC"
