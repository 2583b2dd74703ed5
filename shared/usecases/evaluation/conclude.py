"""Decides which pages a rule's alerts send, and what its record keeps of them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast

from shared.alerting import chronicle
from shared.alerting.compose import (
    Sender,
    To,
    in_line,
    incident_after,
    resolve,
    resolved_after,
    trigger,
)
from shared.alerting.decide import Decision, decide, is_repeated
from shared.alerting.grouping import Group, Receiver, Routes, groups_of
from shared.alerting.history import Step
from shared.alerting.muting import Quiet, alert_labels
from shared.alerting.page import Page, Severity
from shared.alerting.reading import fingerprint
from shared.alerting.record import Incident, Resolved, RuleRecord, Transition
from shared.alerting.rule import Rule
from shared.alerting.state import drop
from shared.ports import Owners
from shared.usecases.evaluation.advance import Advanced

PAGES_MOST = 40
"""Of a rule in a tick, since a write of Azure Tables takes 100 rows. The others follow in the next
tick: they are as true then."""
NEXT_TICK = Decision("waiting for its turn")

logger = logging.getLogger(__name__)
Kept = TypeVar("Kept", Incident, Resolved)


@dataclass(frozen=True, slots=True)
class Moment:
    """What all decisions of a tick share."""

    at: datetime
    now: datetime
    quiet: Quiet


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """What was decided about a group, and the page that came of it.

    route: the receiver's name.
    """

    group: Group
    route: str
    receiver: Receiver
    decision: Decision
    page: Page | None = None

    @property
    def said(self) -> str:
        """Say why a page is sent or not, and what mutes some of the alerts."""
        return chronicle.reason_of(self.decision, self.group.muted_by)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A rule's record with what was decided about each of its groups, not yet stored.

    steps: what is noted of it. transitions: those of a rule that is no more.
    """

    record: RuleRecord
    decisions: tuple[GroupDecision, ...]
    steps: tuple[Step, ...]
    transitions: tuple[Transition, ...] = ()

    @property
    def pages(self) -> tuple[Page, ...]:
        """Return the pages to send."""
        return tuple(one.page for one in self.decisions if one.page)

    def with_pages(self, pages: Iterable[Page]) -> "Conclusion":
        """Return it with these in the place of its pages."""
        others = iter(pages)
        decisions = tuple(
            replace(one, page=next(others)) if one.page else one for one in self.decisions
        )
        return replace(self, decisions=decisions)

    @property
    def reason(self) -> str:
        """Say why pages are sent or not; each reason once."""
        return "; ".join(dict.fromkeys(one.said for one in self.decisions))


@dataclass(frozen=True, slots=True)
class Conclude:
    """Turns the alerts of a rule into pages, an incident for each group."""

    routes: Routes
    sender: Sender
    owners: Owners

    def rule(self, item: Advanced, moment: Moment) -> Conclusion:
        """Decide about a rule that has been taken to the present."""
        rule, record = item.rule, item.record
        ended = {fingerprint(t.series) for t in item.transitions if t.state == "resolved"}
        groups = groups_of(rule, record, _muted(record, moment.quiet), ended)
        own = self.routes.receiver_for(rule.route, rule.severity)
        decided = [self._decided(rule, own, group, moment.at) for group in groups]
        decisions = [self._with_page(rule, one, moment, record.paged) for one in _in_turn(decided)]
        muted_by = "; ".join(sorted({group.muted_by for group in groups} - {""}))
        after = replace(_after(record, decisions, moment.at), muted_by=muted_by)
        return Conclusion(
            after, tuple(decisions), (*item.steps, *_noted(record, decisions, moment.at))
        )

    def removed(self, record: RuleRecord, moment: Moment) -> Conclusion:
        """End the alerts of a rule that is no more, and resolve its incidents."""
        made = drop(record.series, moment.at, "rule removed")
        decided = [self._ending(record, key, moment.at) for key in _open_or_resolved(record)]
        decisions = [
            replace(one, page=self._resolve(record.rule, one, moment.now, record.paged))
            for one in _in_turn(decided)
        ]
        after = replace(_after(record, decisions, moment.at).with_transitions(made), series={})
        steps = (*chronicle.dropped(record, made), *_noted(record, decisions, moment.at))
        return Conclusion(after, tuple(decisions), steps, made)

    def owes(self, record: RuleRecord, at: datetime) -> bool:
        """Return whether something of a rule that is no more is yet to be ended."""
        ending = (self._ending(record, key, at) for key in _open_or_resolved(record))
        return bool(record.series) or any(one.decision.action for one in ending)

    def _decided(self, rule: Rule, own: str, group: Group, at: datetime) -> GroupDecision:
        """Decide about one group. own: the name of the rule's receiver."""
        route, receiver = self._receiver(own, group.incident)
        if rule.repeat_interval:
            receiver = receiver.reminding_every(rule.repeat_interval)
        decision = self._moved(group, own) or decide(group, receiver, at)
        return GroupDecision(group, route, receiver, decision)

    def _moved(self, group: Group, own: str) -> Decision | None:
        """End an incident that cannot be added to nor closed any more, where a new one can be
        opened: its resolve waits, and says why, until a person closes it."""
        known = group.incident
        if known is None or not group.firing or self.owners.reaches(known.owner, known.route):
            return None
        return Decision("its key is set no more", "resolve") if self.owners.owner(own) else None

    def _ending(self, record: RuleRecord, key: str, at: datetime) -> GroupDecision:
        """Decide how a group of a rule that is no more is ended."""
        group = Group({}, record.incidents.get(key), resolved=record.resolved.get(key), key=key)
        severity = cast("Severity", record.rule.rpartition("/")[2])
        route, receiver = self._receiver(self.routes.receiver_of(severity), group.incident)
        if group.incident:
            decision = Decision("rule removed", "resolve")
        elif is_repeated(group.resolved, receiver, at):
            decision = Decision("resolved again", "resolve")
        else:
            decision = Decision("rule removed" if record.series else "nothing fires")
        return GroupDecision(group, route, receiver, decision)

    def _receiver(self, own: str, incident: Incident | None) -> tuple[str, Receiver]:
        """Return the receiver, with its name: that of the open incident, if there is one."""
        route = incident.route if incident else own
        return route, self.routes.receivers.get(route) or self.routes.receivers[own]

    def _with_page(
        self, rule: Rule, one: GroupDecision, moment: Moment, last: str
    ) -> GroupDecision:
        """Add the page that the decision asks for, which sorts after the last one."""
        if one.decision.action != "trigger":
            return replace(one, page=self._resolve(rule.key, one, moment.now, last))
        if rule.route not in ("", *self.routes.receivers):
            logger.warning("%s: no receiver %s; %s is notified", rule.key, rule.route, one.route)
        to = To(one.route, self.owners.owner(one.route))
        page = trigger(self.sender, rule, one.group, to, one.decision, moment.now)
        return replace(one, page=in_line(page, last))

    def _resolve(self, rule: str, one: GroupDecision, now: datetime, last: str) -> Page | None:
        """Return the page that ends the open incident, or ends the one before once more."""
        group = one.group
        incident = group.incident or (group.resolved and group.resolved.incident)
        if one.decision.action != "resolve" or not incident:
            return None
        return in_line(resolve(self.sender, rule, incident, one.decision, now), last)


def _open_or_resolved(record: RuleRecord) -> Iterable[str]:
    """Return the groups of a rule that is no more; one at least."""
    return sorted({*record.incidents, *record.resolved} or {""})


def _muted(record: RuleRecord, quiet: Quiet) -> Mapping[str, str]:
    """Return what mutes firing alerts, by fingerprint."""
    return {
        key: why
        for key, alert in record.firing.items()
        if (why := quiet.mutes(alert_labels(record.rule, alert)))
    }


def _in_turn(decided: Sequence[GroupDecision]) -> Sequence[GroupDecision]:
    """Leave what is more than PAGES_MOST for the next tick: repeats first, then triggers."""

    def rank(one: GroupDecision) -> int:
        if one.decision.reason == "resolved again":
            return 2
        return 0 if one.decision.action == "resolve" else 1

    going = sorted((one for one in decided if one.decision.action), key=rank)
    late = {one.group.key for one in going[PAGES_MOST:]}
    return [replace(one, decision=NEXT_TICK) if one.group.key in late else one for one in decided]


def _noted(record: RuleRecord, decisions: Sequence[GroupDecision], at: datetime) -> Iterable[Step]:
    """Return the steps of the decisions."""
    for one in decisions:
        yield from chronicle.decided(record, one.group, one.decision, one.page, at)


def _after(record: RuleRecord, decisions: Sequence[GroupDecision], at: datetime) -> RuleRecord:
    """Return the record that knows of these pages."""
    incidents, resolved = dict(record.incidents), dict(record.resolved)
    for one in decisions:
        group, page = one.group, one.page
        _put(incidents, group.key, incident_after(group, page, at) if page else group.incident)
        repeats = bool(one.receiver.resolve_again)
        _put(resolved, group.key, resolved_after(group, page, at) if repeats else None)
    paged = max((one.page.id for one in decisions if one.page), default=record.paged)
    said = {one.group.key: _said(record, one, at) for one in decisions}
    decided = {key: why for key, why in said.items() if why != chronicle.SILENCE}
    return replace(record, incidents=incidents, resolved=resolved, paged=paged, decided=decided)


def _said(record: RuleRecord, one: GroupDecision, at: datetime) -> str:
    """Return why a page is sent or not; of a page in the same moment, why it was sent."""
    if chronicle.is_paged(one.group, one.page, at):
        return record.decided.get(one.group.key, one.said)
    return one.said


def _put(kept: dict[str, Kept], key: str, value: Kept | None) -> None:
    """Keep the value by that key, or nothing."""
    kept.pop(key, None)
    if value is not None:
        kept[key] = value
