"""Turns a decision into the page that is sent, and into the incident that is remembered."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from shared.alerting.decide import Decision
from shared.alerting.grouping import Group, dedup_key
from shared.alerting.history import alert_id
from shared.alerting.page import Page, Severity
from shared.alerting.record import Incident, Resolved, SeriesAlert
from shared.alerting.rule import Condition, Rule
from shared.alerting.wording import fill

MEMBERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks.

    link: the page or workbook that a page links to, or ""; {id} in it stands for the alert's id.
    """

    deployment: str
    link: str


@dataclass(frozen=True, slots=True)
class To:
    """Where a page goes. route: the receiver's name. owner: what would hold a new incident."""

    route: str
    owner: str = ""


def trigger(
    sender: Sender, rule: Rule, group: Group, to: To, decision: Decision, now: datetime
) -> Page:
    """Return the page that opens the incident of a firing group, or adds to it.

    An open incident keeps its key and its owner, even if the deployment was renamed.
    """
    known = group.incident
    key = known.dedup_key if known else dedup_key(sender.deployment, rule.key, group.key)
    members = [alert for name, alert in group.firing.items() if name not in group.muted]
    members.sort(key=lambda alert: rule.condition.badness(alert.value))
    worst = members[0]
    condition = next(
        (condition for condition in rule.conditions if condition.name == worst.by),
        rule.conditions[0],
    )
    said = fill(condition.summary, worst.labels, _value(condition, worst))
    details: dict[str, object] = {
        **_measured(condition, worst),
        "members": [_member(condition, alert) for alert in members[:MEMBERS_SHOWN]],
        "resolved": len(_notified(group) - group.firing.keys()),
    }
    return Page(
        id=_page_id(now, key),
        rule=rule.key,
        dedup_key=key,
        route=to.route,
        owner=known.owner if known else to.owner,
        action="trigger",
        severity=rule.severity,
        summary=f"[{rule.severity.upper()}] {said}",
        body={
            **_frame(sender, rule.name, rule.group, alert_id(rule.key, group.key)),
            "runbook": rule.runbook,
            "custom_details": {"firing": len(members), "reason": decision.reason, **details},
        },
        created_at=now,
        not_before=max(now, decision.not_before or now),
        reason=decision.reason,
        fired_at=min(alert.fired_at or now for alert in members),
    )


def resolve(
    sender: Sender, rule: str, incident: Incident, decision: Decision, now: datetime
) -> Page:
    """Return the page that ends an incident; it goes where the trigger went.

    rule: the rule's key; the rule itself may be gone.
    """
    name, _, severity = rule.rpartition("/")
    return Page(
        id=_page_id(now, incident.dedup_key),
        rule=rule,
        dedup_key=incident.dedup_key,
        route=incident.route,
        owner=incident.owner,
        action="resolve",
        severity=cast("Severity", severity),
        summary=incident.summary or f"[{severity.upper()}] {name}",
        body={
            **_frame(sender, name, "", alert_id(rule)),
            "custom_details": {
                "firing": 0,
                "resolved": len(incident.members),
                "reason": decision.reason,
                "opened_at": incident.opened_at.isoformat(),
            },
        },
        created_at=now,
        not_before=now,
        reason=decision.reason,
    )


def incident_after(group: Group, page: Page, at: datetime) -> Incident | None:
    """Return what the receiver knows once it has the page."""
    if page.action == "resolve":
        return None
    return Incident(
        dedup_key=page.dedup_key,
        route=page.route,
        opened_at=group.incident.opened_at if group.incident else at,
        notified_at=at,
        members=tuple(sorted(group.firing.keys() - group.muted.keys())),
        page=page.id,
        summary=group.incident.summary if group.incident else page.summary,
        owner=page.owner,
    )


def resolved_after(group: Group, page: Page | None, at: datetime) -> Resolved | None:
    """Return which incident's resolve is to be repeated: a new trigger must not be undone."""
    if page is None:
        return group.resolved
    if page.action == "resolve" and group.incident:
        return Resolved(group.incident, at)
    return None


def in_line(page: Page, last: str) -> Page:
    """Return the page with an id that sorts after the last one's, even if the clock went back.

    A resolve that overtook its trigger would leave the incident open for ever.
    """
    if page.id > last:
        return page
    moment = int(last.partition("-")[0])
    return replace(page, id=f"{moment + 1:020}-{page.id.partition('-')[2]}")


def _page_id(now: datetime, key: str) -> str:
    """Return an id that sorts by time; a group is decided once at a time."""
    return f"{now:%Y%m%d%H%M%S%f}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _frame(sender: Sender, name: str, group: str, alert: str) -> dict[str, object]:
    """Return what every page says. alert: its id, or that of the rule whose alerts it lists."""
    return {
        "source": f"agentmeter/{sender.deployment}",
        "component": name,
        "group": group,
        "class": "usage rule",
        "link": sender.link.replace("{id}", alert),
    }


def _notified(group: Group) -> set[str]:
    """Return the members that the receiver knows of."""
    return set(group.incident.members) if group.incident else set()


def _measured(condition: Condition, alert: SeriesAlert) -> Mapping[str, object]:
    """Return what was found, against what."""
    return {
        "value": _shown(condition, alert),
        "threshold": str(condition.comparison),
        "window_s": condition.window.total_seconds(),
        "hold_s": condition.hold.total_seconds(),
        "look": condition.name,
        "last_values": [{"at": at.isoformat(), "value": value} for at, value in alert.recent],
        "labels": dict(alert.labels),
        "description": fill(condition.description, alert.labels, _value(condition, alert)),
    }


def _value(condition: Condition, alert: SeriesAlert) -> float | None:
    """Return the alert's value; what is true of a series that speaks, and no finite number, is
    infinite."""
    if alert.value is not None or alert.silent_since:
        return alert.value
    return math.inf if condition.comparison.direction == "above" else -math.inf


def _shown(condition: Condition, alert: SeriesAlert) -> float | str | None:
    """Return the value as JSON has it."""
    value = _value(condition, alert)
    return value if value is None or math.isfinite(value) else str(value)


def _member(condition: Condition, alert: SeriesAlert) -> Mapping[str, object]:
    """Return a line about one alert of the group."""
    return {
        "labels": dict(alert.labels),
        "value": _shown(condition, alert),
        "since": alert.since.isoformat(),
    }
