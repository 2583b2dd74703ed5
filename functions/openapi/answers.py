"""The shapes of what the API answers, for the OpenAPI document; tests hold answers to them."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from shared.alerting.calendar import Period
from shared.alerting.muting import State
from shared.alerting.page import Severity
from shared.alerting.recurrence import Recurrence

Count = Annotated[int, Field(ge=0)]
Phase = Literal["inactive", "pending", "firing"]


class Shape(BaseModel, extra="forbid"):
    """An answer has these fields and no others."""


class Failure(Shape):
    """What went wrong; the text ends with the remedy."""

    error: str = Field(examples=["The array holds no event. Send at least one."])


class Unforeseen(Failure):
    """A failure that no sender can help. id: of the invocation, under which the log says why."""

    id: str


class Warned(Shape):
    """An event that is stored, and that its sender should know something of. index: its place."""

    index: Count = Field(examples=[0])
    id: str = Field(examples=["7f3d"])
    warning: str = Field(examples=["The id came before with other content. It counts once."])


class Accepted(Shape):
    """Every event is stored durably. warnings: left out where there are none."""

    accepted: Count
    warnings: list[Warned] = []


class Rejected(Shape):
    """An event that was not taken. index: its place in the request."""

    index: Count = Field(examples=[1])
    id: str | None = Field(examples=["7f3d"])
    error: str = Field(examples=["data.outcome is missing. Add it."])


class PartlyAccepted(Accepted):
    """Some events are stored; each of the others is named."""

    rejected: list[Rejected]


class NothingAccepted(Failure):
    """Nothing is stored; where the body could be read, each event is named."""

    accepted: Literal[0] = 0
    rejected: list[Rejected] = []


class PartialSuccess(BaseModel, extra="forbid"):
    """What of an OTLP request was not used."""

    rejectedSpans: str = "0"
    rejectedDataPoints: str = "0"
    rejectedLogRecords: str = "0"
    errorMessage: str = ""


class OtlpSuccess(Shape):
    """OTLP's Export…ServiceResponse."""

    partialSuccess: PartialSuccess = PartialSuccess()


class OtlpFailure(Shape):
    """OTLP's google.rpc.Status."""

    code: int
    message: str


class HealthCheck(Shape):
    """One part of the health report. remedy: what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    remedy: str


class Health(Shape):
    """Whether all is well, and what was checked."""

    status: Literal["ok", "degraded"]
    checks: list[HealthCheck]


class AlertRule(Shape):
    """A rule and how it stands. errors: failures in a row. incident_opened_at: of the oldest."""

    id: str
    rule: str
    group: str
    state: Phase
    last_evaluated_at: AwareDatetime | None
    last_good_at: AwareDatetime | None
    errors: Count
    last_error: str
    failing_since: AwareDatetime | None
    left_out: Count
    muted_by: str
    incident_opened_at: AwareDatetime | None
    open_incidents: Count


class Alert(Shape):
    """One series of a rule that is pending or firing."""

    id: str
    alert: str
    severity: Severity
    labels: dict[str, str]
    state: Phase
    value: float | None
    since: AwareDatetime | None
    fired_at: AwareDatetime | None


class Alerts(Shape):
    """Every rule, the alerts that are not inactive, and how many pages wait to be sent."""

    rules: list[AlertRule]
    alerts: list[Alert]
    waiting_pages: Count


class EvaluatedRule(Shape):
    """What became of a rule in a run; error: of its query, where that failed."""

    rule: str
    outcome: Literal[
        "evaluated", "not due", "waiting", "query failed", "not stored", "failed", "removed"
    ]
    error: str


class Evaluated(Shape):
    """What a run did. at: its planned time. delivered: pages that a receiver took."""

    at: AwareDatetime
    complete: bool
    delivered: Count
    rules: list[EvaluatedRule]


class SilenceShown(Shape):
    """A silence, or a maintenance window of config/routes.toml, which may have no ends."""

    id: str
    kind: Literal["silence", "maintenance"]
    state: State
    problem: str
    matchers: list[str]
    starts_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    recurrence: Recurrence | None
    author: str
    comment: str


class SilenceList(Shape):
    """Every silence, those that ended in the last days included."""

    silences: list[SilenceShown]


class BudgetAlert(Shape):
    """A rule of a budget and how it stands."""

    rule: str
    severity: Severity
    state: Phase


class Threshold(BudgetAlert):
    """A part of a budget at which a page is sent."""

    percent: float
    amount_usd: float


class Budget(Shape):
    """Where a budget stands. spent_usd: null where there are calls and none has a price."""

    name: str
    scope: dict[str, list[str]]
    period: Period
    timezone: str
    period_start: AwareDatetime
    period_end: AwareDatetime
    amount_usd: float
    spent_usd: float | None
    percent: float | None
    forecast_usd: float | None
    unpriced_calls: int
    thresholds: list[Threshold]
    forecast: BudgetAlert | None
    burn: BudgetAlert | None


class Budgets(Shape):
    """Every budget of config/budgets.toml."""

    at: AwareDatetime
    budgets: list[Budget]
