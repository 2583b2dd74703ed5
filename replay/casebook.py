"""Tests of alert rules from files: events, what goes wrong, and what must come of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from replay.plan import Plan
from replay.series import JsonObject, Series
from shared.adapters.config.config_folder import read_text
from shared.alerting.page import Action
from shared.alerting.rule import Duration, Rule, Words
from shared.errors import Misconfigured
from shared.toml_file import Fault, read

START = datetime(2026, 1, 5, tzinfo=UTC)
State = Literal["inactive", "pending", "firing"]
STATES: Sequence[str] = get_args(State)
"""From the best to the worst."""


class Expected(BaseModel, frozen=True, extra="forbid"):
    """The state of an alert from that tick on.

    at: from the start on. labels: of one series; without them, of the worst one. rule: which of
    the file's; the first one if left out.
    """

    at: Duration
    state: State
    labels: Mapping[str, str] | None = None
    rule: str = ""


class ExpectedPage(BaseModel, frozen=True, extra="forbid"):
    """A page that was taken. summary: what its summary must contain."""

    at: Duration
    action: Action
    rule: str = ""
    summary: str = ""


class Case(BaseModel, frozen=True, extra="forbid"):
    """A test. plan: what docs/replay.md lets a plan say, but for the start and duration.

    pages: all of them, in their order; an empty list: no page.
    """

    name: Words
    lasts: Duration
    events: tuple[Series, ...] = ()
    plan: JsonObject = {}
    states: tuple[Expected, ...] = ()
    pages: tuple[ExpectedPage, ...]

    def planned(self) -> Plan:
        """Return the plan of its replay. Raises ValidationError: a field of it is wrong."""
        fixed = {"start": START, "duration_s": self.lasts.total_seconds()}
        return Plan.model_validate({**self.plan, **fixed})


class Casebook(BaseModel, frozen=True, extra="forbid"):
    """A file of tests. rules: the names or keys of those that are tested, all at once.

    prices: in place of prices.toml, as its text.
    """

    rules: Annotated[tuple[str, ...], Field(min_length=1)]
    prices: Annotated[str, StringConstraints(strip_whitespace=True)] | None = None
    test: Annotated[tuple[Case, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rules_are_named(self) -> "Casebook":
        named = {one.rule for case in self.test for one in (*case.states, *case.pages)}
        if strange := named - {"", *self.rules}:
            raise ValueError(f"{', '.join(sorted(strange))} is not in `rules`; add it there")
        return self

    def chosen(self, rules: Sequence[Rule]) -> list[Rule]:
        """Return the rules that are tested, in the order of the file.

        Raises:
            Misconfigured: one that is named is not there.
        """
        known = {name: rule for rule in rules for name in (rule.name, rule.key)}
        if unknown := [name for name in self.rules if name not in known]:
            raise Misconfigured(f"rules: there is no {', '.join(unknown)}; name a rule's file.")
        return [known[name] for name in self.rules]


def read_casebook(file: Path) -> Casebook:
    """Read a file of tests.

    Raises:
        Misconfigured: names every wrong field at once.
    """
    return read(Casebook, read_text(file), file.name, "docs/rules.md shows a test.", _lint)


def _lint(book: Casebook) -> Iterator[Fault]:
    """Yield what is wrong with the plans."""
    for number, case in enumerate(book.test):
        try:
            case.planned()
        except ValidationError as exc:
            for error in exc.errors():
                yield ("test", number, "plan", *error["loc"]), error["msg"]


def clock(at: timedelta) -> str:
    """Write a moment of a test as its file does."""
    minutes, seconds = divmod(int(at.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    return "PT" + ("".join(f"{n}{unit}" for n, unit in parts if n) or "0S")
