"""The shapes of why an alert fires or is silent."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel

from functions.openapi.answers import Shape
from shared.alerting.history import Opinion, StepKind
from shared.alerting.page import Action, Severity
from shared.alerting.rule import ConditionName


class ConditionShown(Shape):
    """A condition of a rule, as its file states it."""

    look: ConditionName
    query: str
    condition: str
    resolve: str | None
    window_s: float
    hold_s: float
    offset_s: float
    min_samples: int


class RuleShown(Shape):
    """What the rule says."""

    key: str
    group: str
    every_s: float
    keep_firing_s: float
    no_data: Literal["keep", "ok", "alert"]
    description: str
    runbook: str
    looks: list[ConditionShown]


class RowShown(Shape):
    """What a query said of one series. onset: when the trouble began, by the data."""

    labels: dict[str, str]
    value: float | None
    samples: float | None
    onset: AwareDatetime | None


class EvidenceShown(Shape):
    """A question as it was asked, and its answer: at most 20 rows, the worst first.

    value, samples: of the first row. row_count: how many rows there were. error: why there is no
    answer; "" where there is one.
    """

    look: ConditionName
    query: str
    start: AwareDatetime
    end: AwareDatetime
    condition: str
    threshold: float
    hold_s: float
    value: float | None
    samples: float | None
    rows: list[RowShown]
    row_count: int
    error: str


class PageShown(Shape):
    """A page and what became of it."""

    id: str
    action: Action
    reason: str
    receiver: str
    summary: str
    decided_at: AwareDatetime
    delivery: Literal["waiting", "accepted", "dead", "dropped"]
    status: str
    attempts: int
    settled_at: AwareDatetime | None
    next_attempt_at: AwareDatetime | None


class IncidentShown(Shape):
    """The incident that is open, or was last, with the latest pages of the rule, newest first."""

    dedup_key: str
    open: bool
    receiver: str
    opened_at: AwareDatetime | None
    notified_at: AwareDatetime | None
    pages: list[PageShown]


class SilenceInForce(Shape):
    """A silence or maintenance window that mutes the alert now."""

    id: str
    kind: Literal["silence", "maintenance"]
    matchers: list[str]
    ends_at: AwareDatetime
    author: str
    comment: str


class InhibitionInForce(Shape):
    """An inhibition of config/routes.toml that mutes the alert now."""

    source: dict[str, str]
    target: dict[str, str]
    equal: list[str]


class VerdictShown(Shape):
    """What a person said of an episode."""

    episode: str
    verdict: Opinion
    note: str
    by: str
    at: AwareDatetime


class StepShown(Shape):
    """Something that happened to the alert, or was decided about its rule.

    state: pending, firing, resolved, cancelled; trigger, resolve, or "" for a decision to page
    no one; accepted, later, dead, dropped; a verdict. measures: value, threshold and delays.
    """

    id: str
    at: AwareDatetime
    kind: StepKind
    state: str
    reason: str
    labels: dict[str, str]
    episode: str
    measures: dict[str, float]
    details: dict[str, str]
    evidence: list[EvidenceShown]


class Why(Shape):
    """Why an alert fires or is silent. evidence: of the last evaluation. history: newest first.

    episode: the one that goes on, or the last; "" where it never fired.
    """

    id: str
    alert: str
    severity: Severity
    labels: dict[str, str]
    state: Literal["inactive", "pending", "firing"]
    value: float | None
    since: AwareDatetime | None
    fired_at: AwareDatetime | None
    sentence: str
    rule: RuleShown | None
    last_evaluated_at: AwareDatetime | None
    errors: int
    last_error: str
    evidence: list[EvidenceShown]
    incident: IncidentShown | None
    muted_by: str
    silences: list[SilenceInForce]
    inhibitions: list[InhibitionInForce]
    episode: str
    verdict: VerdictShown | None
    history: list[StepShown]


class PointShown(Shape):
    """A value of the alert's series; null where there was none."""

    at: AwareDatetime
    value: float | None


class UnitShown(Shape):
    """What stands around a value: "$" before it, "%" or "/ s" after it."""

    before: str
    after: str


class Chart(Shape):
    """Values over time of the condition that fired, and its limit."""

    look: ConditionName
    condition: str
    limit: float
    resolve: float | None
    unit: UnitShown
    points: list[PointShown]


class Contributors(Shape):
    """What makes up most of what is wrong, in the window in which it fired."""

    columns: list[str]
    rows: list[list[str | float | bool | None]]


class EventShown(BaseModel, extra="allow"):
    """One of the latest events that the contributors are summed up from, as it was sent."""

    at: AwareDatetime
    id: str
    type: str


class ChartPart(Shape):
    """The chart, or why there is none."""

    value: Chart | None
    error: str


class ContributorsPart(Shape):
    """The contributors, or why they are not known; null where the rule names none."""

    value: Contributors | None
    error: str


class EventsPart(Shape):
    """The events, or why they are not known; null where the rule does not sum up events."""

    value: list[EventShown] | None
    error: str


class Mark(Shape):
    """Something that was deployed or changed. kind: version, rules, routes or prices."""

    at: AwareDatetime
    kind: str
    text: str


class EpisodeBefore(Shape):
    """An earlier episode of the alert, and what people said of it."""

    fired_at: AwareDatetime
    ended_at: AwareDatetime | None
    value: float | None
    verdict: Opinion | None


class Context(Shape):
    """What surrounds the latest episode of an alert. Parts are null where the rule is no more."""

    fired_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    chart: ChartPart | None
    contributors: ContributorsPart | None
    events: EventsPart | None
    marks: list[Mark]
    before: list[EpisodeBefore]
