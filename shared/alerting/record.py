"""What is remembered of a rule between two evaluations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Phase = Literal["pending", "firing"]


@dataclass(frozen=True, slots=True)
class SeriesAlert:
    """The alert of one series of a rule; an inactive one is not kept.

    since: when it became pending, by planned time. fired_at: when it began to fire.
    value: the last value that was true. labels: the series' labels.
    missing: evaluations in a row that said nothing of this series.
    """

    labels: Mapping[str, str]
    phase: Phase
    since: datetime
    value: float
    fired_at: datetime | None = None
    missing: int = 0


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
    """What the receiver knows: an incident that a trigger opened and a resolve must close."""

    dedup_key: str
    route: str
    opened_at: datetime
    notified_at: datetime
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """All that is stored of one rule, in one document.

    rule: the rule's key, `<name>/<severity>`. version: 0 for a record never stored.
    series: fingerprint → alert. last_at: the last planned time evaluated, well or not.
    last_good_at: the last planned time with an answer. errors: failures in a row.
    transitions: the latest steps, newest last, at most 50.
    """

    rule: str
    version: int = 0
    series: Mapping[str, SeriesAlert] = field(default_factory=dict[str, SeriesAlert])
    incident: Incident | None = None
    last_at: datetime | None = None
    last_good_at: datetime | None = None
    errors: int = 0
    last_error: str = ""
    transitions: tuple[Transition, ...] = ()
