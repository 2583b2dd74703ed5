"""An alert rule, and its queries bound to a window."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag

from shared.alerting.calendar import Calendar
from shared.alerting.comparison import Comparison
from shared.alerting.fast import FastCondition
from shared.alerting.fast_kql import kql_of, kql_of_top
from shared.alerting.fields import ComparisonText, Duration, Words
from shared.alerting.page import Severity

LATE_DATA = timedelta(seconds=60)
"""How far behind now a window ends where data still on its way could make a rule true."""

FAST_ROOM = timedelta(seconds=90)
"""What the window of a fast condition, as it is shown, has beside `lasting`."""

NoDataPolicy = Literal["keep", "ok", "alert"]
ConditionName = Literal["main", "fast"]

QUOTED = r"""//[^\n]*|@"[^"\n]*"|@'[^'\n]*'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
"""Comments and strings, in which nothing is bound and no word is a call."""


class KqlFast(BaseModel, frozen=True, extra="forbid"):
    """A fast part in KQL, as the edition before had them: as late as Log Analytics. What it leaves
    out is as in the rule."""

    window: Duration
    hold: Duration = timedelta(0)
    condition: ComparisonText
    resolve: ComparisonText | None = None
    min_samples: int = Field(0, ge=0)
    offset: Duration = timedelta(0)
    query: Words | None = None
    summary: Words | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a rule: a query over a window, and the values that are wrong.

    calendar: whose period {since} and {until} are the bounds of, if the query asks for them.
    tallied: the fast condition that is judged by tallies; its query only shows the events.
    """

    name: ConditionName
    query: str
    window: timedelta
    offset: timedelta
    hold: timedelta
    comparison: Comparison
    resolve: Comparison | None
    min_samples: int
    summary: str
    description: str
    calendar: Calendar | None = None
    tallied: FastCondition | None = None


def _fast_kind(stated: object) -> str:
    """Distinguish a fast condition from one in KQL, by what only one of them has."""
    if isinstance(stated, KqlFast):
        return "kql"
    is_kql = isinstance(stated, dict) and "event" not in stated and "window" in stated
    return "kql" if is_kql else "tallied"


Fast = Annotated[
    Annotated[FastCondition, Tag("tallied")] | Annotated[KqlFast, Tag("kql")],
    Discriminator(_fast_kind),
]


class Rule(BaseModel, frozen=True, extra="forbid"):
    """One file of config/rules. docs/rules.md says what each field means."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$")]
    group: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$")]
    severity: Severity
    every: Duration = timedelta(minutes=1)
    window: Duration
    hold: Duration = timedelta(0)
    keep_firing: Duration = timedelta(0)
    condition: ComparisonText
    resolve: ComparisonText | None = None
    no_data: NoDataPolicy = "keep"
    no_data_max: Duration | None = None
    min_samples: int = Field(0, ge=0)
    offset: Duration | None = None
    calendar: Calendar | None = None
    repeat_interval: Duration | None = None
    per_series: bool = False
    route: str = ""
    summary: Words
    description: str = ""
    runbook: str = ""
    query: Words
    contributors_kql: str = Field("", alias="contributors")
    top: tuple[str, ...] = ()
    fast: Fast | None = None

    @property
    def key(self) -> str:
        """Return what the rule is known by: two severities of one name are two rules."""
        return f"{self.name}/{self.severity}"

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return the rule's conditions, the main one first."""
        main = Condition(
            name="main",
            query=self.query,
            window=self.window,
            offset=self._main_offset(),
            hold=self.hold,
            comparison=self.condition,
            resolve=self.resolve,
            min_samples=self.min_samples,
            summary=self.summary,
            description=self.description,
            calendar=self.calendar,
        )
        match self.fast:
            case None:
                return (main,)
            case FastCondition():
                return main, self._tallied_condition(self.fast)
            case KqlFast():
                return main, self._kql_condition(self.fast)

    @property
    def tallied(self) -> FastCondition | None:
        """Return the fast condition, if it has one that is judged by tallies."""
        return self.fast if isinstance(self.fast, FastCondition) else None

    @property
    def contributors(self) -> str:
        """Return the query of who makes up most of it; "" where the rule does not say."""
        if self.tallied and self.top:
            return kql_of_top(self.tallied, self.top)
        return self.contributors_kql

    @property
    def keeps_the_missing(self) -> bool:
        """Return whether it says itself that a series which others outlive is kept."""
        return self.no_data == "keep" and "no_data" in self.model_fields_set

    @property
    def asks(self) -> str:
        """Return a digest of its queries: where it changes, alerts may be of series no more."""
        text = "\0".join(
            f"{k.name}{k.tallied.columns if k.tallied else k.query}" for k in self.conditions
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _main_offset(self) -> timedelta:
        """Stay behind now where late data trips the rule: falling values, ratios, absence."""
        if self.offset is not None:
            return self.offset
        tripped = (
            self.condition.direction == "below" or self.min_samples > 0 or self.no_data == "alert"
        )
        return LATE_DATA if tripped else timedelta(0)

    def _tallied_condition(self, part: FastCondition) -> Condition:
        """Fill what the fast condition leaves out from the rule."""
        return Condition(
            name="fast",
            query=kql_of(part),
            window=part.lasting + FAST_ROOM,
            offset=timedelta(0),
            hold=timedelta(0),
            comparison=part.comparison,
            resolve=None,
            min_samples=0,
            summary=part.summary or self.summary,
            description=str(part) if part.description is None else part.description,
            tallied=part,
        )

    def _kql_condition(self, part: KqlFast) -> Condition:
        """Fill what the fast part leaves out from the rule."""
        return Condition(
            name="fast",
            query=part.query or self.query,
            window=part.window,
            offset=part.offset,
            hold=part.hold,
            comparison=part.condition,
            resolve=part.resolve,
            min_samples=part.min_samples,
            summary=part.summary or self.summary,
            description=self.description if part.description is None else part.description,
            calendar=self.calendar,
        )


def bind(query: str, start: datetime, end: datetime, calendar: Calendar | None = None) -> str:
    """Put the window's bounds, and those of the period that its end is in, into the query."""
    bounds = {"{start}": start, "{end}": end}
    if calendar:
        bounds |= {"{since}": calendar.start(end), "{until}": calendar.end(end)}
    literals = {name: moment_literal(moment) for name, moment in bounds.items()}
    pieces = "|".join((QUOTED, *map(re.escape, bounds)))
    return re.sub(pieces, lambda piece: literals.get(piece[0], piece[0]), query)


def moment_literal(moment: datetime) -> str:
    """Write a moment in KQL, to the 100 ns that Kusto keeps."""
    return f"datetime({moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z)"
