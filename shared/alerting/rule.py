"""An alert rule as its TOML file states it, checked, and its queries bound to a window."""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag, ValidationError

from shared.alerting.calendar import Calendar
from shared.alerting.condition import Condition
from shared.alerting.fast import FastCondition
from shared.alerting.fast_kql import kql_of
from shared.alerting.fields import Comparison, Duration, Words
from shared.alerting.page import Severity
from shared.alerting.wording import is_fillable
from shared.errors import Misconfigured

LATE_DATA = timedelta(seconds=60)
"""How far behind now a window ends where data still on its way could make a rule true."""

FAST_ROOM = timedelta(seconds=90)
"""What the window of a fast condition, as it is shown, has beside `lasting`."""

NoDataPolicy = Literal["keep", "ok", "alert"]
LookName = Literal["main", "fast"]

_TEXTS = r"""//[^\n]*|@"[^"\n]*"|@'[^'\n]*'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
"""Comments and strings, in which nothing is bound and no word is a call."""


class KqlFast(BaseModel, frozen=True, extra="forbid"):
    """A fast part in KQL, as the edition before had them: as late as Log Analytics. What it leaves
    out is as in the rule."""

    window: Duration
    hold: Duration = timedelta(0)
    condition: Comparison
    resolve: Comparison | None = None
    min_samples: int = Field(0, ge=0)
    offset: Duration = timedelta(0)
    query: Words | None = None
    summary: Words | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One way in which a rule looks at the facts: a query over a window, and what is wrong.

    calendar: whose period {since} and {until} are the bounds of, if the query asks for them.
    tallied: the fast condition that is judged by tallies; its query only shows the events.
    """

    name: LookName
    query: str
    window: timedelta
    offset: timedelta
    hold: timedelta
    condition: Condition
    resolve: Condition | None
    min_samples: int
    summary: str
    description: str
    calendar: Calendar | None = None
    tallied: FastCondition | None = None


def _fast_kind(stated: object) -> str:
    """Tell a fast condition from a fast part in KQL, by what only one of them has."""
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
    condition: Comparison
    resolve: Comparison | None = None
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
    contributors: str = ""
    fast: Fast | None = None

    @property
    def key(self) -> str:
        """Return what the rule is known by: two severities of one name are two rules."""
        return f"{self.name}/{self.severity}"

    @property
    def looks(self) -> tuple[Look, ...]:
        """Return the rule's looks at the facts, the main one first."""
        main = Look(
            name="main",
            query=self.query,
            window=self.window,
            offset=self._main_offset(),
            hold=self.hold,
            condition=self.condition,
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
                return main, self._tallied_look(self.fast)
            case KqlFast():
                return main, self._kql_look(self.fast)

    @property
    def tallied(self) -> FastCondition | None:
        """Return the fast condition, if it has one that is judged by tallies."""
        return self.fast if isinstance(self.fast, FastCondition) else None

    @property
    def keeps_the_missing(self) -> bool:
        """Tell whether it says itself that a series which others outlive is kept."""
        return self.no_data == "keep" and "no_data" in self.model_fields_set

    @property
    def asks(self) -> str:
        """Return a digest of its queries: where it changes, alerts may be of series no more."""
        text = "\0".join(
            f"{k.name}{k.tallied.columns if k.tallied else k.query}" for k in self.looks
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

    def _tallied_look(self, part: FastCondition) -> Look:
        """Fill what the fast condition leaves out from the rule."""
        return Look(
            name="fast",
            query=kql_of(part),
            window=part.lasting + FAST_ROOM,
            offset=timedelta(0),
            hold=timedelta(0),
            condition=part.condition,
            resolve=None,
            min_samples=0,
            summary=part.summary or self.summary,
            description=str(part) if part.description is None else part.description,
            tallied=part,
        )

    def _kql_look(self, part: KqlFast) -> Look:
        """Fill what the fast part leaves out from the rule."""
        return Look(
            name="fast",
            query=part.query or self.query,
            window=part.window,
            offset=part.offset,
            hold=part.hold,
            condition=part.condition,
            resolve=part.resolve,
            min_samples=part.min_samples,
            summary=part.summary or self.summary,
            description=self.description if part.description is None else part.description,
            calendar=self.calendar,
        )


def parse_rule(text: str, file: str) -> Rule:
    """Read a rule from TOML.

    Raises:
        Misconfigured: names the file and every wrong field at once, each with its remedy.
    """
    try:
        rule = Rule.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as exc:
        raise Misconfigured(
            f"{file}: {exc}. Mend the TOML; docs/rules.md has a whole rule."
        ) from exc
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()]
    else:
        problems = lint(rule)
        if not problems:
            return rule
    raise Misconfigured(f"{file}: " + "; ".join(problems) + ". See docs/rules.md.")


def lint(rule: Rule) -> list[str]:
    """Return what is wrong with a rule whose fields are each well formed."""
    problems = [problem for look in rule.looks for problem in _lint_look(rule, look)]
    if rule.every < timedelta(minutes=1) or rule.every % timedelta(minutes=1):
        problems.append("every: the timer ticks once a minute; write whole minutes, such as PT1M")
    if timedelta(0) < rule.keep_firing < rule.every:
        problems.append("keep_firing: shorter than every, so it does nothing; use PT0S or more")
    if rule.no_data_max is not None and rule.no_data != "keep":
        problems.append('no_data_max: it bounds no_data = "keep" alone; remove it')
    if rule.contributors:
        wrong = _lint_query(rule.contributors, rule.looks[0])
        problems += [f"contributors: {problem}" for problem in wrong]
    if rule.severity == "critical" and not rule.runbook:
        problems.append("runbook: whoever is woken needs one; write docs/runbooks/<name>.md")
    return problems


def _lint_look(rule: Rule, look: Look) -> list[str]:
    """Return what is wrong with one look, each problem opening with the field's name."""
    at = "" if look.name == "main" else f"{look.name}."
    query = [] if look.tallied else _lint_query(look.query, look)
    problems = [f"{at}query: {problem}" for problem in query]
    if look.window < rule.every and not look.tallied:
        problems.append(f"{at}window: shorter than every: some data would never be looked at")
    if timedelta(0) < look.hold < rule.every:
        problems.append(
            f"{at}hold: shorter than every, so that one look decides; use PT0S, or every and more"
        )
    problems += [
        f"{at}{field}: {text!r} has a bad placeholder; write {{value:.2f}}, a label, or {{{{ }}}}"
        for field, text in (("summary", look.summary), ("description", look.description))
        if not is_fillable(text)
    ]
    if look.resolve and (
        look.resolve.direction == look.condition.direction
        or look.condition.holds(look.resolve.threshold)
    ):
        problems.append(f"{at}resolve: {look.resolve} must be apart from {look.condition}")
    return problems


def _lint_query(query: str, look: Look) -> list[str]:
    """Return what is wrong with a text that is asked of the look's window; whether it runs is for
    the checker."""
    code = re.sub(_TEXTS, "", query)
    starts = ("{start}", "{since}") if look.calendar else ("{start}",)
    problems = [
        f"{names[0]} is missing; filter TimeGenerated >= {{start}} and TimeGenerated < {{end}}"
        for names in (starts, ("{end}",))
        if not any(name in code for name in names)
    ]
    if look.calendar is None and re.search(r"\{(since|until)\}", code):
        problems.append("{since} and {until} are bounds of a period; say which in `calendar`")
    if look.calendar and "{since}" in code and look.window < look.calendar.longest:
        problems.append(f"{{since}} may be up to {look.calendar.longest} ago; widen `window`")
    if re.search(r"\b(now|ago)\s*\(", code):
        problems.append("now() and ago() see another time than was planned; use {start} and {end}")
    return problems


def bind(query: str, start: datetime, end: datetime, calendar: Calendar | None = None) -> str:
    """Put the window's bounds, and those of the period that its end is in, into the query."""
    bounds = {"{start}": start, "{end}": end}
    if calendar:
        bounds |= {"{since}": calendar.start(end), "{until}": calendar.end(end)}
    literals = {name: moment_literal(moment) for name, moment in bounds.items()}
    pieces = "|".join((_TEXTS, *map(re.escape, bounds)))
    return re.sub(pieces, lambda piece: literals.get(piece[0], piece[0]), query)


def moment_literal(moment: datetime) -> str:
    """Write a moment in KQL, to the 100 ns that Kusto keeps."""
    return f"datetime({moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z)"
