"""What is remembered of a rule between two evaluations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from shared.alerting.evidence import Evidence
from shared.alerting.reading import Sample
from shared.alerting.schedule import AHEAD_MOST, floor

Phase = Literal["pending", "firing"]
TRANSITIONS_KEPT = 50
MINUTE = timedelta(minutes=1)
SPOKEN_KEPT = timedelta(days=1)
SPOKEN_MOST = 500


@dataclass(frozen=True, slots=True)
class ConditionState:
    """A condition of the rule that is true. since: from that planned time on, moved past gaps.

    seen: the last planned time that found it true.
    """

    since: datetime
    seen: datetime


@dataclass(frozen=True, slots=True)
class SeriesAlert:
    """The alert of one series of a rule; an inactive one is not kept.

    since: when it became pending, by planned time. fired_at: when it began to fire.
    value: the last value that was true; None where there was no finite number.
    labels: the series' labels. missing: answers of the main condition in a row that returned others
    and not of this series. looks: those of the rule's conditions that are true, by name. by: the
    one that `value` is of. calm_since: all conditions are false since then, and it only fires on
    for `keep_firing`. silent_since: nothing was said of this series since then. recent: the last
    values, at most 10, with their planned times. outdated: it is of a query that the rule had
    before it was edited, and today's has not spoken of it yet. was_fast: the fast condition was
    true while it fired, so that its own `keep_firing` holds.
    """

    labels: Mapping[str, str]
    phase: Phase
    since: datetime
    value: float | None
    fired_at: datetime | None = None
    missing: int = 0
    looks: Mapping[str, ConditionState] = field(default_factory=dict[str, ConditionState])
    by: str = "main"
    calm_since: datetime | None = None
    silent_since: datetime | None = None
    recent: tuple[tuple[datetime, float], ...] = ()
    outdated: bool = False
    was_fast: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """A series whose silence would be an alert. at: the last planned time that returned it."""

    labels: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of an alert, for people: what happened when, and why."""

    at: datetime
    series: Mapping[str, str]
    state: Literal["pending", "firing", "resolved", "cancelled"]
    value: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Incident:
    """What the receiver knows: an incident that a trigger opened and a resolve must close.

    route: the receiver that was notified, and will be. members: the fingerprints that it was sent.
    page: the id of the last trigger. summary: the title that it was opened with.
    owner: what holds it, and alone can close it (ports.Owners); "" where that is not known.
    """

    dedup_key: str
    route: str
    opened_at: datetime
    notified_at: datetime
    members: tuple[str, ...]
    page: str = ""
    summary: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The last incident, whose resolve may be sent once more. at: when it was resolved."""

    incident: Incident
    at: datetime


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """All that is stored of one rule, in one document.

    rule: the rule's key, `<name>/<severity>`. version: 0 for a record never stored.
    series: fingerprint → alert. incidents: group → its open incident; the group is "" for all
    alerts of the rule, or the fingerprint where each has an incident of its own.
    last_at: the last planned time evaluated, well or not. first_at: the first; None where that is
        not known.
    last_good_at: the last planned time with an answer. errors: failures in a row, the first of
    them at failing_since. left_out: series, of the last answer or tallied, that were too many.
    transitions: the latest steps, newest last, at most 50.
    resolved: group → the incident that was resolved last, until its resolve has been repeated.
    paged: the id of the last page; the next ones' sort after it.
    muted_by: what keeps firing alerts from being sent; "" where nothing does.
    looked: what each condition read at last_at. decided: group → the last decision, so that one
        like it is not noted again.
    contents: of the record of changes alone: kind → name → what stands for the text in force.
    deployed_at: of that record, too: when what is deployed was first seen.
    asks: rule.asks of the rule as it was last evaluated; "" where that is not known.
    spoke: where silence is an alert, the series that spoke in the last day, by fingerprint.
    """

    rule: str
    version: int = 0
    series: Mapping[str, SeriesAlert] = field(default_factory=dict[str, SeriesAlert])
    incidents: Mapping[str, Incident] = field(default_factory=dict[str, Incident])
    last_at: datetime | None = None
    last_good_at: datetime | None = None
    errors: int = 0
    last_error: str = ""
    failing_since: datetime | None = None
    left_out: int = 0
    transitions: tuple[Transition, ...] = ()
    resolved: Mapping[str, Resolved] = field(default_factory=dict[str, Resolved])
    paged: str = ""
    muted_by: str = ""
    looked: tuple[Evidence, ...] = ()
    decided: Mapping[str, str] = field(default_factory=dict[str, str])
    contents: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    asks: str = ""
    spoke: Mapping[str, Spoken] = field(default_factory=dict[str, Spoken])
    first_at: datetime | None = None
    deployed_at: datetime | None = None

    @property
    def firing(self) -> Mapping[str, SeriesAlert]:
        """Return the alerts that fire, by fingerprint."""
        return {key: alert for key, alert in self.series.items() if alert.phase == "firing"}

    def failing(self, why: str, at: datetime) -> "RuleRecord":
        """Return the record with one failure more."""
        since = self.failing_since or at
        return replace(self, errors=self.errors + 1, last_error=why, failing_since=since)

    def with_transitions(self, made: Sequence[Transition]) -> "RuleRecord":
        """Return the record with these steps added and the oldest dropped."""
        return replace(self, transitions=(*self.transitions, *made)[-TRANSITIONS_KEPT:])

    def having_heard(self, answer: Mapping[str, Sample], at: datetime) -> "RuleRecord":
        """Return the record that knows which series spoke, and those that fire, for a day."""
        kept = {key: one for key, one in self.spoke.items() if at - one.at < SPOKEN_KEPT}
        fires = {key: Spoken(alert.labels, at) for key, alert in self.series.items()}
        heard = {key: Spoken(sample.labels, at) for key, sample in answer.items()}
        every = {**({} if self.spoke else fires), **kept, **heard}
        latest = sorted(every, key=lambda key: every[key].at)[-SPOKEN_MOST:]
        return replace(self, spoke={key: every[key] for key in latest if every[key].labels})

    @property
    def was_evaluated(self) -> bool:
        """Return whether the rule ran before, even if a wrong clock cost the time of it."""
        return bool(self.last_at or self.first_at or self.series)

    @property
    def latest(self) -> datetime | None:
        """Return the latest of the times that it goes by; None in a fresh one."""
        seen = (state.seen for alert in self.series.values() for state in alert.looks.values())
        since = (alert.since for alert in self.series.values())
        notified = (one.notified_at for one in self.incidents.values())
        last = (self.last_at,) if self.last_at else ()
        return max((*last, *seen, *since, *notified), default=None)

    def is_ahead_of(self, now: datetime) -> bool:
        """Tell whether it goes by a later minute than now: a clock was wrong."""
        latest = self.latest
        return bool(latest and floor(latest, MINUTE) - now > AHEAD_MOST)

    def not_ahead(self, now: datetime) -> "RuleRecord":
        """Return the record with no time ahead of now: a clock that was wrong wrote those."""
        return replace(
            self,
            series={key: _not_ahead(alert, now) for key, alert in self.series.items()},
            incidents={key: _incident(one, now) for key, one in self.incidents.items()},
            resolved={
                key: Resolved(_incident(one.incident, now), min(one.at, now))
                for key, one in self.resolved.items()
            },
            spoke={key: Spoken(one.labels, min(one.at, now)) for key, one in self.spoke.items()},
            last_at=None,
            looked=(),
            last_good_at=self.last_good_at and min(self.last_good_at, now),
            failing_since=self.failing_since and min(self.failing_since, now),
        )


def _incident(incident: Incident, now: datetime) -> Incident:
    return replace(
        incident,
        opened_at=min(incident.opened_at, now),
        notified_at=min(incident.notified_at, now),
    )


def _not_ahead(alert: SeriesAlert, now: datetime) -> SeriesAlert:
    return replace(
        alert,
        since=min(alert.since, now),
        fired_at=alert.fired_at and min(alert.fired_at, now),
        calm_since=alert.calm_since and min(alert.calm_since, now),
        silent_since=alert.silent_since and min(alert.silent_since, now),
        looks={
            name: ConditionState(min(state.since, now), min(state.seen, now))
            for name, state in alert.looks.items()
        },
    )
