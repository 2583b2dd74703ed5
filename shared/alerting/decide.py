"""Whether a person is told of a group of alerts now, and why or why not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.alerting.grouping import Group, Receiver
from shared.alerting.page import Action
from shared.alerting.record import Incident, Resolved

Reason = Literal[
    "first",
    "new alerts added",
    "some resolved",
    "all resolved",
    "resolved again",
    "repeat interval elapsed",
    "the last page died",
    "rule removed",
    "nothing fires",
    "nothing new",
    "resolved before it was sent",
    "waiting for the group",
    "waiting for the group interval",
    "muted",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """action: None where nobody is told. detail: what muted it."""

    reason: Reason
    action: Action | None = None
    detail: str = ""


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
    """Tell whether a resolve is sent once more now, in case that the other side lost it."""
    wait = receiver.resolve_again
    return resolved is not None and bool(wait) and now - resolved.at >= wait


def _open(group: Group, receiver: Receiver, now: datetime) -> Decision:
    """Open the incident once the group has waited; a [fast] part means at once."""
    if any("fast" in alert.looks for alert in group.firing.values()):
        return Decision("first", "trigger")
    oldest = min(alert.fired_at or now for alert in group.firing.values())
    if now - oldest < receiver.group_wait:
        return Decision("waiting for the group")
    return Decision("first", "trigger")


def _update(group: Group, incident: Incident, receiver: Receiver, now: datetime) -> Decision:
    """Tell what is new about an open incident, but not too often."""
    quiet_for = now - incident.notified_at
    told = set(incident.members)
    reason: Reason
    if group.page_died:
        reason = "the last page died"
    elif group.firing.keys() - group.muted.keys() - told:
        reason = "new alerts added"
    elif told - group.firing.keys():
        reason = "some resolved"
    elif quiet_for >= receiver.repeat_interval:
        reason = "repeat interval elapsed"
    else:
        return Decision("nothing new")
    if quiet_for < receiver.group_interval:
        return Decision("waiting for the group interval")
    return Decision(reason, "trigger")
