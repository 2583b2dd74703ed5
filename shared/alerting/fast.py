"""A fast condition as a rule's file states it: which events are bad, and how many are too many."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, PlainValidator, model_validator

from shared.alerting.comparison import Comparison, parse_comparison
from shared.alerting.event_fields import FIELDS, NUMBERS, TEXTS, column_of
from shared.alerting.fields import ComparisonText, Duration, Words
from shared.alerting.tallies import KEPT, SLICE_S

AT_LEAST = 3
"""Bad events in a slice, so that one failure of two is no rate."""
SHORTEST, LONGEST = timedelta(seconds=SLICE_S), KEPT / 3
_UNITS = {"s": 1, "min": 60, "h": 3600}
_RATE = re.compile(r"(.*\d)\s*/\s*(\S+)")
_SHARE = re.compile(r"(.*\d)\s*%")

Measured = Literal["rate", "share", "value"]


class Rate(BaseModel, frozen=True):
    """A limit of so many in a time (per_s), or for each event of another kind (per_event)."""

    comparison: Comparison
    unit: str
    per_s: int = 0
    per_event: str = ""


def parse_rate(text: object) -> Rate:
    """Read a limit such as "> 150 / h" or "> 100 / mission.completed".

    Raises:
        ValueError: it is none; the message shows the form.
    """
    found = _RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found or not (found[2] in _UNITS or found[2] in FIELDS):
        raise ValueError(
            f'{text!r} is no rate; write "> 10 / s", with s, min, h or a kind of event behind the /'
        )
    comparison, unit = parse_comparison(found[1]), found[2]
    if comparison.direction == "below" or comparison.threshold <= 0:
        raise ValueError(
            f"{text!r} cannot be judged from what arrives; write > and a number above 0"
        )
    if unit in _UNITS:
        return Rate(comparison=comparison, unit=unit, per_s=_UNITS[unit])
    return Rate(comparison=comparison, unit=unit, per_event=unit)


def parse_share(text: object) -> Comparison:
    """Read a limit such as "> 15 %".

    Raises:
        ValueError: it is none, or no share can be beyond it.
    """
    found = _SHARE.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError(f'{text!r} is no share; write "> 15 %"')
    comparison = parse_comparison(found[1])
    possible = comparison.holds(100) and not comparison.holds(0)
    if comparison.direction == "below" or not possible:
        raise ValueError(f"{text!r} is never or always true; write > and a number from 0 to 99")
    return comparison


def _known(event: str) -> str:
    if event not in FIELDS:
        raise ValueError(f"{event!r} is no kind of event; choose of {', '.join(sorted(FIELDS))}")
    return event


Texts = Mapping[str, tuple[str, ...]]
Kind = Annotated[str, AfterValidator(_known)]


class FastCondition(BaseModel, frozen=True, extra="forbid"):
    """What a [fast] table says. docs/rules.md says what each field means."""

    event: Kind
    where: Texts = Field(default_factory=dict)
    bad: Texts = Field(default_factory=dict)
    good: Texts = Field(default_factory=dict)
    over: Mapping[str, float] = Field(default_factory=dict)
    sum: str = ""
    by: tuple[str, ...] = ()
    rate: Annotated[Rate | None, PlainValidator(parse_rate)] = None
    share: Annotated[Comparison | None, PlainValidator(parse_share)] = None
    value: ComparisonText | None = None
    at_least: int = Field(AT_LEAST, ge=1)
    lasting: Duration = timedelta(minutes=1)
    keep_firing: Duration = timedelta(minutes=5)
    summary: Words | None = None
    description: str | None = None

    @model_validator(mode="after")
    def says_one_thing(self) -> "FastCondition":
        """Refuse what cannot be judged, every problem at once."""
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))
        return self

    @property
    def measured(self) -> Measured:
        """Return which of the three limits it has."""
        return "rate" if self.rate else "share" if self.share else "value"

    @property
    def comparison(self) -> Comparison:
        """Return its limit, in its own unit."""
        limit = self.rate.comparison if self.rate else self.share or self.value
        if limit is None:
            raise ValueError("a fast condition has a limit")
        return limit

    @property
    def unit(self) -> str:
        """Return the unit of its values, for a person."""
        return f"/ {self.rate.unit}" if self.rate else "%" if self.share else ""

    @cached_property
    def digest(self) -> str:
        """Return what its tallies are known by: another limit judges the same tallies."""
        stated = self.model_dump(
            mode="json", include={"event", "where", "bad", "good", "over", "sum", "by"}
        )
        per = self.rate.per_event if self.rate else ""
        text = json.dumps([stated, per, self.measured == "value"], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the labels of its series: the columns of UsageEvents for `by`."""
        return tuple(column_of(field) for field in self.by)

    def __hash__(self) -> int:
        """Hash what it says: its tables are mappings, which have no hash of their own."""
        return hash((self.digest, str(self)))

    def __str__(self) -> str:
        """Write it in a line."""
        limit = f"{self.comparison} {self.unit}".strip()
        what = f"{self.sum} of {self.event}" if self.sum else self.event
        return f"{what}: {self.measured} {limit}, lasting {self.lasting.total_seconds():.0f} s"

    def _problems(self) -> Iterator[str]:
        if sum(limit is not None for limit in (self.rate, self.share, self.value)) != 1:
            yield "say one of `rate`, `share` and `value`"
        if not SHORTEST <= self.lasting <= LONGEST:
            yield f"lasting: from {SHORTEST.seconds} s to {LONGEST.seconds // 60} minutes"
        yield from self._of_fields()
        marks = sum(map(bool, (self.bad, self.good, self.over)))
        if self.share and marks == 0:
            yield "share: say which events are bad, with `bad`, `good` or `over`"
        if marks > 1:
            yield "say one of `bad`, `good` and `over`"
        if self.sum and not self.rate:
            yield "sum: it needs a `rate`"
        if self.value and (marks or "value" not in FIELDS[self.event]):
            yield f"value: {self.event} is no gauge, or some of its events are called bad"

    def _of_fields(self) -> Iterator[str]:
        """Say which fields the events do not have."""
        named: Sequence[tuple[str, Sequence[str], frozenset[str]]] = (
            ("where", tuple(self.where), TEXTS),
            ("bad", tuple(self.bad), TEXTS),
            ("good", tuple(self.good), TEXTS),
            ("by", self.by, TEXTS),
            ("over", tuple(self.over), NUMBERS),
            ("sum", (self.sum,) if self.sum else (), NUMBERS),
        )
        for table, fields, kind in named:
            known = sorted(FIELDS[self.event] & kind)
            for field in fields:
                if field not in known:
                    yield f"{table}: {self.event} has no {field!r}; choose of {', '.join(known)}"
