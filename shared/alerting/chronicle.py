"""Writes the history of alerts: a step for each thing that happens, with its evidence."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from shared.alerting.decide import Decision
from shared.alerting.evidence import Evidence, evidence
from shared.alerting.grouping import Group
from shared.alerting.history import Opinion, Step, alert_id, episode_of, stamp
from shared.alerting.page import Accepted, Dead, Delivery, Dropped, Later, Page
from shared.alerting.reading import Reading, fingerprint
from shared.alerting.record import RuleRecord, SeriesAlert, Transition
from shared.alerting.rule import Condition, Rule
from shared.alerting.state import Stepped

FLAP_WITHIN = timedelta(minutes=30)
SILENCE = "nothing fires"
"""What is decided most of the time, and not noted."""
OPENING = ("first", "the last page died")
"""Reasons of a page that opens its incident."""


def transitions(
    rule: Rule,
    before: RuleRecord,
    stepped: Stepped,
    readings: Mapping[str, Reading],
    conditions: Sequence[Condition],
) -> list[Step]:
    """Return the steps of one planned time, each with what every condition read of its series.

    conditions: those of the rule, as they were bound to that time.
    """
    steps: list[Step] = []
    for change in stepped.transitions:
        key = fingerprint(change.series)
        alert = stepped.series.get(key) or before.series[key]
        found = tuple(evidence(k, change.at, readings[k.name], key) for k in conditions)
        decisive = next((item for item in found if item.look == alert.by), found[0])
        steps.append(
            _transition(
                rule.key,
                change,
                alert,
                {"threshold": decisive.threshold, **_measured(rule, before, alert, change, found)},
                found,
            )
        )
    return steps


def dropped(record: RuleRecord, made: Iterable[Transition]) -> list[Step]:
    """Return the steps that end the alerts of a rule that is no more."""
    return [
        _transition(record.rule, change, alert, _times(alert, change), ())
        for change in made
        for alert in (record.series[fingerprint(change.series)],)
    ]


def decided(
    record: RuleRecord, group: Group, decision: Decision, page: Page | None, at: datetime
) -> list[Step]:
    """Return the step of a decision; none where no page is sent for the same reason as before.

    record: before it. Where the fast part of this run has paged, the main part adds nothing.
    """
    said = reason_of(decision, group.muted_by)
    if page is None and said in (SILENCE, record.decided.get(group.key)):
        return []
    if is_paged(group, page, at):
        return []
    open_incident = page or group.incident
    incident = open_incident.dedup_key if open_incident else ""
    action = page.action if page else ""
    return [
        Step(
            key=f"{record.rule} {stamp(at)} {incident} {action} {said}",
            rule=record.rule,
            alert=alert_id(record.rule, group.key),
            kind="decision",
            at=at,
            state=action,
            reason=said,
            texts=_filled(page_id=page.id if page else "", dedup_key=incident),
        )
    ]


def is_paged(group: Group, page: Page | None, at: datetime) -> bool:
    """Return whether the group has no page now because it had one in the same moment."""
    return page is None and group.incident is not None and group.incident.notified_at == at


def reason_of(decision: Decision, muted_by: str) -> str:
    """Say why a page is sent or not, and what mutes some of the alerts."""
    return f"{decision.reason} {decision.detail or muted_by}".strip()


def delivery(page: Page, outcome: Delivery, at: datetime) -> list[Step]:
    """Return the step of an attempt; none where it ended as the attempt before did, and none of a
    change event, which is about no alert."""
    if page.action == "change":
        return []
    if isinstance(outcome, Later) and outcome.why == page.last_status:
        return []
    state = type(outcome).__name__.lower()
    opened = isinstance(outcome, Accepted) and page.action == "trigger" and page.reason in OPENING
    numbers = {"attempts": page.attempts + 1.0}
    if opened and page.fired_at:
        numbers["notify_delay_s"] = (at - page.fired_at).total_seconds()
    return [
        Step(
            key=f"{page.rule} {page.id} {page.attempts} {state}",
            rule=page.rule,
            alert=alert_id(page.rule),
            kind="page",
            at=at,
            state=state,
            reason=page.reason,
            numbers=numbers,
            texts=_filled(
                page_id=page.id,
                dedup_key=page.dedup_key,
                action=page.action,
                receiver=page.route,
                status=_status(outcome),
            ),
        )
    ]


def verdict(
    rule: str, episode: str, opinion: Opinion, at: datetime, texts: Mapping[str, str]
) -> Step:
    """Return what a person says of an episode; a later one takes its place.

    texts: `note` and `said_by`, where given.
    """
    return Step(
        key=episode,
        rule=rule,
        alert=episode.partition("@")[0],
        kind="verdict",
        at=at,
        state=opinion,
        reason=texts.get("note", ""),
        episode=episode,
        texts=texts,
    )


def _transition(
    rule: str,
    change: Transition,
    alert: SeriesAlert,
    numbers: Mapping[str, float],
    found: tuple[Evidence, ...],
) -> Step:
    key = fingerprint(change.series)
    value = {} if change.value is None else {"value": change.value}
    return Step(
        key=f"{rule} {key} {stamp(change.at)} {change.state}",
        rule=rule,
        alert=alert_id(rule, key),
        kind="transition",
        at=change.at,
        state=change.state,
        reason=change.reason,
        series=change.series,
        episode=episode_of(rule, alert),
        numbers={**value, **numbers},
        texts={"look": alert.by},
        evidence=found,
    )


def _measured(
    rule: Rule,
    before: RuleRecord,
    alert: SeriesAlert,
    change: Transition,
    found: Sequence[Evidence],
) -> Mapping[str, float]:
    """Return how late it was found, or how long it lasted, and whether it has just been over."""
    if change.state == "resolved":
        return _times(alert, change)
    if change.state != "firing":
        return {}
    again = any(
        (old.state, old.series) == ("resolved", change.series) and change.at - old.at <= FLAP_WITHIN
        for old in before.transitions
    )
    return {"detection_delay_s": _delay(rule, alert, change.at, found), "flap": float(again)}


def _times(alert: SeriesAlert, change: Transition) -> Mapping[str, float]:
    """Return how long the alert fired, if it did."""
    if alert.fired_at is None:
        return {}
    return {"time_to_resolve_s": (change.at - alert.fired_at).total_seconds()}


def _delay(rule: Rule, alert: SeriesAlert, at: datetime, found: Sequence[Evidence]) -> float:
    """Return the seconds from the first bad data to this planned time, as far as that is known.

    A query may say when its trouble began. Where it does not, that is the start of what the
    condition before the first true one had not seen.
    """
    condition = next(condition for condition in rule.conditions if condition.name == alert.by)
    said = [
        row.onset for item in found if item.look == condition.name for row in item.rows if row.onset
    ]
    began = min(said, default=alert.since - condition.offset - rule.every)
    return max(0.0, (at - began).total_seconds())


def _status(outcome: Delivery) -> str:
    match outcome:
        case Accepted():
            return str(outcome.status)
        case Dropped():
            return outcome.reason
        case Later() | Dead():
            return outcome.why


def _filled(**texts: str) -> dict[str, str]:
    """Return those that say something."""
    return {name: text for name, text in texts.items() if text}
