"""Explains an alert: why it fires or is silent, what was found, and who was notified."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from shared.alerting.evidence import Evidence
from shared.alerting.grouping import Routes
from shared.alerting.history import Step
from shared.alerting.muting import Silence, alert_labels
from shared.alerting.rule import Condition, Rule
from shared.store_ports import AlertStore
from shared.usecases.explaining.find_alert import Subject, Subjects
from shared.usecases.explaining.why_sentence import Sent, sent, sentence

Shown = dict[str, object]


@dataclass(frozen=True)
class Why:
    """Reads the stores; changes nothing. silences: all there are, whatever their state."""

    subjects: Subjects
    alerts: AlertStore
    routes: Callable[[], Routes]
    silences: Callable[[], Sequence[Silence]]

    def explain(self, id: str, now: datetime) -> Shown:
        """Return all that is known of an alert, as JSON values.

        id: an alert's id, its rule's id or key, or the rule's name.
        Raises:
            NotFound: nothing has this id or name.
        """
        subject = self.subjects.find(id)
        record, pages = subject.record, sent(self.alerts, subject.record.rule)
        return {
            **_state(subject),
            "sentence": sentence(subject, pages, now),
            "rule": subject.rule and _rule(subject.rule),
            "last_evaluated_at": _iso(record.last_at),
            "errors": record.errors,
            "last_error": record.last_error,
            "evidence": [_evidence(item) for item in record.looked],
            "incident": _incident(subject, pages),
            "muted_by": record.muted_by,
            "silences": [_silence(one) for one in self._silenced(subject, now)],
            "inhibitions": self._inhibited(subject),
            "episode": subject.episode,
            "verdict": _verdict(subject),
            "history": [_step(step) for step in reversed(subject.own_steps)],
        }

    def _silenced(self, subject: Subject, now: datetime) -> list[Silence]:
        """Return the silences and maintenance windows that would mute the alert now."""
        labels = _matched(subject)
        return [silence for silence in self.silences() if silence.mutes(labels, now)]

    def _inhibited(self, subject: Subject) -> list[Shown]:
        """Return the inhibitions that would mute the alert now."""
        firing = [
            alert_labels(record.rule, alert)
            for record in self.alerts.load_all()
            for alert in record.firing.values()
        ]
        labels = _matched(subject)
        return [
            item.model_dump(mode="json")
            for item in self.routes().inhibitions
            if item.mutes(labels, item.sources(firing))
        ]


def _matched(subject: Subject) -> Mapping[str, str]:
    """Return what silences and inhibitions match."""
    name, _, severity = subject.record.rule.rpartition("/")
    return {**subject.labels, "alertname": name, "severity": severity}


def _state(subject: Subject) -> Shown:
    """Say how the alert is, as GET /api/alerts does."""
    name, _, severity = subject.record.rule.rpartition("/")
    alert = subject.alert
    return {
        "id": subject.id,
        "alert": name,
        "severity": severity,
        "labels": dict(subject.labels),
        "state": alert.phase if alert else "inactive",
        "value": alert.value if alert else None,
        "since": _iso(alert.since if alert else None),
        "fired_at": _iso(alert.fired_at if alert else None),
    }


def _rule(rule: Rule) -> Shown:
    """Write what the rule says, each of its conditions in full."""
    return {
        "key": rule.key,
        "group": rule.group,
        "every_s": rule.every.total_seconds(),
        "keep_firing_s": rule.keep_firing.total_seconds(),
        "no_data": rule.no_data,
        "description": rule.description,
        "runbook": rule.runbook,
        "looks": [_condition(condition) for condition in rule.conditions],
    }


def _condition(condition: Condition) -> Shown:
    return {
        "look": condition.name,
        "query": condition.query.strip(),
        "condition": str(condition.comparison),
        "resolve": str(condition.resolve) if condition.resolve else None,
        "window_s": condition.window.total_seconds(),
        "hold_s": condition.hold.total_seconds(),
        "offset_s": condition.offset.total_seconds(),
        "min_samples": condition.min_samples,
    }


def _evidence(item: Evidence) -> Shown:
    """Write what a condition found; its first row is the worst."""
    first = item.rows[0] if item.rows else None
    return {
        **asdict(item),
        "start": _iso(item.start),
        "end": _iso(item.end),
        "query": item.query.strip(),
        "value": first.value if first else None,
        "samples": first.samples if first else None,
        "rows": [{**asdict(row), "onset": _iso(row.onset)} for row in item.rows],
    }


def _incident(subject: Subject, pages: Sequence[Sent]) -> Shown | None:
    """Write the open incident of the alert, or the last one, with its pages, newest first."""
    incident = subject.incident
    if not incident and not pages:
        return None
    key = incident.dedup_key if incident else pages[0].page.dedup_key
    return {
        "dedup_key": key,
        "open": incident is not None,
        "receiver": incident.route if incident else pages[0].page.route,
        "opened_at": _iso(incident.opened_at if incident else None),
        "notified_at": _iso(incident.notified_at if incident else None),
        "pages": [_page(one) for one in pages if one.page.dedup_key == key],
    }


def _page(one: Sent) -> Shown:
    page = one.page
    return {
        "id": page.id,
        "action": page.action,
        "reason": page.reason,
        "receiver": page.route,
        "summary": page.summary,
        "decided_at": _iso(page.created_at),
        "delivery": one.delivery,
        "status": page.last_status,
        "attempts": page.attempts,
        "settled_at": _iso(one.settled_at),
        "next_attempt_at": None if one.settled_at else _iso(page.not_before),
    }


def _silence(silence: Silence) -> Shown:
    return {
        "id": silence.id,
        "kind": silence.kind,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "ends_at": _iso(silence.ends_at),
        "author": silence.author,
        "comment": silence.comment,
    }


def _verdict(subject: Subject) -> Shown | None:
    """Write what people said of the episode, if they did."""
    verdicts = (step for step in subject.own_steps if step.kind == "verdict")
    said = next((step for step in verdicts if step.episode == subject.episode), None)
    return said and shown_verdict(said)


def shown_verdict(step: Step) -> Shown:
    """Write what a person said of an episode."""
    return {
        "episode": step.episode,
        "verdict": step.state,
        "note": step.texts.get("note", ""),
        "by": step.texts.get("said_by", ""),
        "at": _iso(step.at),
    }


def _step(step: Step) -> Shown:
    return {
        "id": step.id,
        "at": _iso(step.at),
        "kind": step.kind,
        "state": step.state,
        "reason": step.reason,
        "labels": dict(step.series),
        "episode": step.episode,
        "measures": dict(step.numbers),
        "details": dict(step.texts),
        "evidence": [_evidence(item) for item in step.evidence],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
