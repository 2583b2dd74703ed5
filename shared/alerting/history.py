"""The history of alerts: what a step of it is, and what a log of them promises."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol, get_args

from shared.alerting.evidence import Evidence
from shared.alerting.reading import fingerprint
from shared.alerting.record import SeriesAlert

StepKind = Literal["transition", "decision", "page", "verdict"]
Opinion = Literal["real", "noise", "duplicate", "unclear"]

STEPS_MOST = 500
"""Of one write; of a storm of more series the rest is in the application's log alone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the alerts of a rule.

    key: what makes it this step and no other; the same when it is stored or exported again.
    rule: the rule's key. alert: the alert's id; that of the rule where it is about all its alerts.
    at: the planned time of a transition or decision, the moment of a page or verdict.
    state: pending, firing, resolved, cancelled; trigger, resolve, "" for a decision to page no one;
        accepted, later, dead, dropped; real, noise, duplicate, unclear.
    episode: from one firing of an alert to its resolve; "" where it is about none.
    numbers: by the keys of AlertHistory's measurements. texts: by those of its further texts.
    """

    key: str
    rule: str
    alert: str
    kind: StepKind
    at: datetime
    state: str
    reason: str
    series: Mapping[str, str] = field(default_factory=dict[str, str])
    episode: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    evidence: tuple[Evidence, ...] = ()

    @property
    def id(self) -> str:
        """Return 24 hex digits that stand for the step."""
        return hashlib.sha256(f"{self.kind} {self.key}".encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class News:
    """Steps that were stored together and not yet exported. id: names exactly these."""

    id: str
    rule: str
    steps: tuple[Step, ...]


class StepLog(Protocol):
    """The latest steps of each rule; a step with the id of another replaces it."""

    def note(self, rule: str, steps: Sequence[Step]) -> None:
        """Store steps of the rule that come with no other change.

        Raises:
            RetryLater: the store did not answer.
        """
        ...

    def news(self, most: int) -> Sequence[News]:
        """Return what is not yet exported, oldest first."""
        ...

    def mark_exported(self, news: News) -> None:
        """Note that these were exported. The 200 latest steps of the rule are kept.

        Raises:
            RetryLater: the store did not answer, or others were faster; nothing was changed.
        """
        ...

    def steps(self, rule: str) -> Sequence[Step]:
        """Return the steps of the rule that are kept or not yet exported, oldest first."""
        ...


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Return the steps oldest first, a decision after the transitions that it is about."""
    return sorted(steps, key=lambda step: (step.at, get_args(StepKind).index(step.kind)))


def alert_id(rule: str, series: str = "") -> str:
    """Return what an alert is called in URLs; without a fingerprint, what its rule is.

    rule: the rule's key.
    """
    return ".".join(filter(None, (*rule.split("/"), series)))


def episode_of(rule: str, alert: SeriesAlert) -> str:
    """Return the name of the alert's episode; "" while it does not fire."""
    if alert.fired_at is None:
        return ""
    return f"{alert_id(rule, fingerprint(alert.labels))}@{stamp(alert.fired_at)}"


def stamp(at: datetime) -> str:
    """Write a moment as part of a key."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
