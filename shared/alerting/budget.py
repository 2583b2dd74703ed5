"""Budgets as config/budgets.toml states them: the amount, its scope, and the receivers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
)

from shared.alerting.calendar import Calendar, Period, TimeZone
from shared.alerting.page import Severity
from shared.alerting.rule import Duration
from shared.events.columns import DIMENSIONS
from shared.toml_file import Fault, read

PACES: Mapping[Period, tuple[int, str]] = {
    "day": (25, "PT1H"),
    "week": (10, "PT3H"),
    "month": (5, "PT6H"),
}
"""What is too fast by default: per cent of the amount, in how long. All are about six
times the pace that would just use the amount up; the busy hours of working days are about four."""


def _listed(value: object) -> object:
    """One value may stand without brackets."""
    return [value] if isinstance(value, str) else value


def _printable(value: object) -> object:
    if isinstance(value, str) and not value.isprintable():
        raise ValueError(f"{value!r} has a character that cannot be seen; write it without")
    return value


def _dimension(name: str) -> str:
    if name not in DIMENSIONS:
        raise ValueError(f"no costs are split by it; name one of {', '.join(DIMENSIONS)}")
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
    return read(_File, text, file, "docs/budgets.md explains every field.", _lint).budget


def _lint(file: _File) -> Iterator[Fault]:
    """Yield what is wrong with budgets whose fields are each well formed."""
    names = [budget.name.lower() for budget in file.budget]
    for number, budget in enumerate(file.budget):
        at = ("budget", number)
        if names.index(budget.name.lower()) < number:
            yield (*at, "name"), f"{budget.name} is an earlier one's too; rename one"
        if budget.every < timedelta(minutes=1) or budget.every % timedelta(minutes=1):
            yield (*at, "every"), "write whole minutes, such as PT5M"
        if budget.pace and budget.pace.window < budget.every:
            yield (*at, "every"), "longer than burn.window; ask more often"
        if not budget.runbook and (budget.pace or "critical" in budget.thresholds.values()):
            yield (*at, "runbook"), "a critical page needs one; name it"
