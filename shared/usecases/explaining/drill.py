"""A page that is a drill: through the outbox to a person, and resolved by the next evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from string import Formatter
from typing import cast

from shared.alerting.compose import Sender, To, in_line, incident_after, trigger
from shared.alerting.decide import Decision
from shared.alerting.grouping import Group, Routes
from shared.alerting.outgoing import Settled
from shared.alerting.page import Page
from shared.alerting.record import Incident, SeriesAlert
from shared.alerting.rule import Rule
from shared.errors import Misconfigured, RetryLater
from shared.store_ports import AlertStore

PREFIX = "Drill_"
"""Begins the name that a drill's incident goes by, so that it is never the rule's own."""
MARK = "[DRILL]"
SETTLED_SEEN = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a drill is. opened, closed: its trigger and its resolve, once they left the outbox.

    waiting: what the receiver said last of the page that is next; "" where it was not tried.
    """

    opened: Settled | None
    closed: Settled | None
    waiting: str


class Drill:
    """Writes the trigger together with an incident of a rule that does not exist.

    An incident whose rule is gone is resolved by the next evaluation: so a drill is, even if
    its process ended.
    """

    def __init__(self, alerts: AlertStore, routes: Routes, sender: Sender) -> None:
        self._alerts = alerts
        self._routes = routes
        self._sender = sender

    def start(self, rule: Rule, now: datetime) -> Page:
        """Put the page into the outbox and return it.

        Raises:
            RetryLater: a drill of the rule goes on, or the store does not answer.
        """
        stand_in = rule.model_copy(update={"name": f"{PREFIX}{rule.name}"})
        record = self._alerts.load(stand_in.key)
        if record.incidents:
            raise RetryLater(
                f"A drill of {rule.key} goes on. The next evaluation ends it: ask in two minutes."
            )
        group = Group({"": _example(rule, now)}, None)
        to = To(self._routes.receiver_for(rule.route, rule.severity))
        made = trigger(self._sender, stand_in, group, to, Decision("first", "trigger"), now)
        page = in_line(_marked(made), record.paged)
        incident = cast("Incident", incident_after(group, page, now))
        after = replace(record, incidents={"": incident}, resolved={}, paged=page.id)
        self._alerts.save(after, [page])
        return page

    def progress(self, page: Page) -> Progress:
        """Return the state of the page, and of the one that ends its incident."""
        mine = [
            one
            for one in self._alerts.history(SETTLED_SEEN)
            if one[0].dedup_key == page.dedup_key and one[0].id >= page.id
        ]
        opened = next((one for one in mine if one[0].id == page.id), None)
        closed = next((one for one in reversed(mine) if one[0].action == "resolve"), None)
        left = (one for one in self._alerts.waiting() if one.dedup_key == page.dedup_key)
        return Progress(opened, closed, next((one.last_status for one in left), ""))


def named(rules: Sequence[Rule], name: str) -> Rule:
    """Return the rule of that name or key.

    Raises:
        Misconfigured: there is none, or two severities share the name.
    """
    found = [rule for rule in rules if name in (rule.name, rule.key)]
    if not found:
        known = ", ".join(rule.key for rule in rules)
        raise Misconfigured(f"There is no rule {name}. Name one of: {known}.")
    if len(found) > 1:
        raise Misconfigured(f"{name} is two rules. Say {' or '.join(r.key for r in found)}.")
    return found[0]


def _example(rule: Rule, now: datetime) -> SeriesAlert:
    """Return an alert at the rule's threshold, each label that its texts name being `drill`."""
    fields = {
        name
        for text in (rule.summary, rule.description)
        for _, name, _, _ in Formatter().parse(text)
        if name and name != "value"
    }
    value = float(rule.condition.threshold)
    return SeriesAlert(dict.fromkeys(fields, "drill"), "firing", now, value, fired_at=now)


def _marked(page: Page) -> Page:
    """Return the page with what it is in its title, and for machines in its details."""
    details = cast("Mapping[str, object]", page.body["custom_details"])
    body = {**page.body, "custom_details": {"drill": True, **details}}
    return replace(page, summary=f"{MARK} {page.summary}", body=body)
