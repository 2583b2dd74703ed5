"""Budgets as config/budgets.toml states them: how much may be spent, on what, and who is told."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
)

from shared.alerting.calendar import Calendar, Period, TimeZone
from shared.alerting.page import Severity
from shared.alerting.rule import Duration
from shared.errors import Misconfigured
from shared.events.columns import DIMENSIONS

PACES: Mapping[Period, tuple[int, str]] = {
    "day": (25, "PT1H"),
    "week": (10, "PT3H"),
    "month": (5, "PT6H"),
}
"""What is too fast unless told otherwise: per cent of the amount, in how long. All are about six
times the pace that would just use the amount up; the busy hours of working days are about four."""
_OF_PYDANTIC = ("[key]", "bool", "Pace")
"""Parts of a place that name a branch of the model, no field."""
REMEDY = "Mend what is named; docs/budgets.md explains every field."


def _listed(value: object) -> object:
    """One value may stand without brackets."""
    return [value] if isinstance(value, str) else value


def _printable(value: object) -> object:
    if isinstance(value, str) and not value.isprintable():
        raise ValueError(f"{value!r} has a character that cannot be seen; write it without")
    return value


def _dimension(name: str) -> str:
    if name not in DIMENSIONS:
        raise ValueError(f"no costs are told by it; name one of {', '.join(DIMENSIONS)}")
    return name


Value = Annotated[str, StringConstraints(max_length=1024), BeforeValidator(_printable)]
Values = Annotated[tuple[Value, ...], Field(min_length=1), BeforeValidator(_listed)]
Percent = Annotated[int, Field(ge=1, le=1000)]
Dimension = Annotated[str, AfterValidator(_dimension)]
Usd = Annotated[Decimal, Field(gt=0, le=Decimal(10) ** 12, allow_inf_nan=False)]


class Pace(BaseModel, frozen=True, extra="forbid"):
    """Spending that is too fast: so much of the amount in that time."""

    percent: Percent
    window: Duration = Field(ge=timedelta(hours=1), le=timedelta(days=7))


class Budget(BaseModel, frozen=True, extra="forbid"):
    """One [[budget]] of config/budgets.toml. docs/budgets.md says what each field means.

    scope: whose spend counts: that with one of the values of every label named; "": without one.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]{0,79}$")]
    amount_usd: Usd
    period: Period
    timezone: TimeZone = "UTC"
    scope: Mapping[Dimension, Values] = {}
    thresholds: Mapping[Percent, Severity] = {50: "info", 80: "warning", 100: "critical"}
    forecast: bool = True
    burn: bool | Pace = True
    every: Duration = timedelta(minutes=5)
    runbook: str = "docs/runbooks/Budget.md"

    @property
    def calendar(self) -> Calendar:
        """Return the periods that the amount is for."""
        return Calendar(period=self.period, timezone=self.timezone)

    @property
    def pace(self) -> Pace | None:
        """Return what is too fast; None where any pace will do."""
        if isinstance(self.burn, Pace):
            return self.burn
        percent, window = PACES[self.period]
        return Pace.model_validate({"percent": percent, "window": window}) if self.burn else None

    def part(self, percent: int) -> Decimal:
        """Return so many per cent of the amount, exactly."""
        return (self.amount_usd * percent).scaleb(-2)


class _File(BaseModel, extra="forbid"):
    budget: tuple[Budget, ...] = ()


def parse_budgets(text: str, file: str) -> Sequence[Budget]:
    """Read budgets from TOML.

    Raises:
        Misconfigured: names the file, and every wrong entry and field at once with the remedy.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
        budgets = _File.model_validate(document).budget
    except tomllib.TOMLDecodeError as exc:
        raise Misconfigured(f"{file}: {exc}. Mend the TOML; docs/budgets.md shows it.") from exc
    except ValidationError as exc:
        problems = [f"{_place(e['loc'])}: {e['msg']}" for e in exc.errors()]
    else:
        problems = _lint(budgets)
        if not problems:
            return budgets
    raise Misconfigured(f"{file}: {'; '.join(problems)}. {REMEDY}")


def _place(location: Sequence[int | str]) -> str:
    """Write where a problem is: [[budget]] 2: amount_usd."""
    if len(location) < 2 or location[0] != "budget":
        return ".".join(map(str, location))
    field = ".".join(str(part) for part in location[2:] if part not in _OF_PYDANTIC)
    return f"[[budget]] {int(location[1]) + 1}: {field}"


def _lint(budgets: Sequence[Budget]) -> list[str]:
    """Return what is wrong with budgets whose fields are each well formed."""
    names = [budget.name.lower() for budget in budgets]
    problems: list[str] = []
    for number, budget in enumerate(budgets, 1):
        at = f"[[budget]] {number}"
        if names.index(budget.name.lower()) < number - 1:
            problems.append(f"{at}: name: {budget.name} is an earlier one's too; rename one")
        if budget.every < timedelta(minutes=1) or budget.every % timedelta(minutes=1):
            problems.append(f"{at}: every: write whole minutes, such as PT5M")
        if budget.pace and budget.pace.window < budget.every:
            problems.append(f"{at}: every: longer than burn.window; ask more often")
        if not budget.runbook and (budget.pace or "critical" in budget.thresholds.values()):
            problems.append(f"{at}: runbook: whoever is woken needs one; name it")
    return problems
