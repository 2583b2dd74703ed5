"""Decides whether a group of alerts sends a page now, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.alerting.grouping import Group, Receiver
from shared.alerting.page import Action
from shared.alerting.record import Incident, Resolved

NEXT_TICK = timedelta(minutes=1)

Reason = Literal[
    "first",
    "new alerts added",
    "some resolved",
    "all resolved",
    "resolved again",
    "repeat interval elapsed",
    "rule removed",
    "nothing fires",
    "nothing new",
    "resolved before it was sent",
    "waiting for the group",
    "waiting for the group interval",
    "waiting for its turn",
    "its key is set no more",
    "muted",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """action: None where no page is sent. detail: what muted it.

    not_before: when the page may go out; None for at once.
    """

    reason: Reason
    action: Action | None = None
    detail: str = ""
    not_before: datetime | None = None


def decide(group: Group, receiver: Receiver, now: datetime) -> Decision:
    """Decide by the group and the times stored of it alone.

    A resolve is a debt: nothing mutes or delays it.
    """
    if not group.firing:
        if group.incident:
            return Decision("all resolved", "resolve")
        if is_repeated(group.resolved, receiver, now):
            return Decision("resolved again", "resolve")
        return Decision("resolved before it was sent" if group.ended else "nothing fires")
    if group.muted.keys() >= group.firing.keys():
        return Decision("muted", detail=group.muted_by)
    if group.incident is None:
        return _open(group, receiver, now)
    return _update(group, group.incident, receiver, now)


def is_repeated(resolved: Resolved | None, receiver: Receiver, now: datetime) -> bool:
    """Return whether a resolve is sent once more now, in case that the other side lost it."""
    wait = receiver.resolve_again
    return resolved is not None and bool(wait) and now - resolved.at >= wait


def _open(group: Group, receiver: Receiver, now: datetime) -> Decision:
    """Open the incident once the group has waited; a [fast] part means at once.

    Where the wait ends before the next tick, nothing new will be known then: the page is made
    ready now, so that an alert that has ended by the next tick is sent as well.
    """
    if any("fast" in alert.looks for alert in group.firing.values()):
        return Decision("first", "trigger")
    waited = min(alert.fired_at or now for alert in group.firing.values()) + receiver.group_wait
    if waited >= now + NEXT_TICK:
        return Decision("waiting for the group")
    return Decision("first", "trigger", not_before=waited)


def _update(group: Group, incident: Incident, receiver: Receiver, now: datetime) -> Decision:
    """Update an open incident with what is new, at most once a group interval."""
    quiet_for = now - incident.notified_at
    known = set(incident.members)
    reason: Reason
    if group.firing.keys() - group.muted.keys() - known:
        reason = "new alerts added"
    elif known - group.firing.keys():
        reason = "some resolved"
    elif quiet_for >= receiver.repeat_interval:
        reason = "repeat interval elapsed"
    else:
        return Decision("nothing new")
    if quiet_for < receiver.group_interval:
        return Decision("waiting for the group interval")
    return Decision(reason, "trigger")
