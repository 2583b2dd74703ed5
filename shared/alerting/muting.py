"""Mutes alerts: by a graver alert of the same thing, or by a silence."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, Field

from shared.alerting.patterns import compiled
from shared.alerting.record import SeriesAlert
from shared.alerting.recurrence import Recurrence

Labels = Mapping[str, str]
State = Literal["pending", "active", "ended"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """A test of one label; a label that an alert lacks counts as empty."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: Labels) -> bool:
        """Return whether the labels pass; a regular expression must match the whole value.

        Raises:
            ValueError: it is none of RE2's.
        """
        held = labels.get(self.name, "")
        same = bool(compiled(self.value).fullmatch(held)) if self.is_regex else held == self.value
        return same == self.is_equal

    def __str__(self) -> str:
        equal, unequal = ("=~", "!~") if self.is_regex else ("=", "!=")
        return f"{self.name}{equal if self.is_equal else unequal}{self.value}"


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which matching alerts are not sent. starts_at is in it, ends_at is not.

    recurrence: only at these times between the two. kind: maintenance is of config/routes.toml.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str = ""
    comment: str = ""
    recurrence: Recurrence | None = None
    kind: Literal["silence", "maintenance"] = "silence"

    def mutes(self, labels: Labels, now: datetime) -> bool:
        """Return whether an alert with these labels is muted now; never if it has a problem."""
        if self.state(now) != "active" or self.problem:
            return False
        return all(m.matches(labels) for m in self.matchers)

    @property
    def problem(self) -> str:
        """Return why it mutes nothing: a pattern that an earlier edition took; "" if it is well."""
        try:
            for matcher in self.matchers:
                matcher.matches({})
        except ValueError as exc:
            return str(exc)
        return ""

    def state(self, now: datetime) -> State:
        """Return whether it mutes now, will yet, or never will again."""
        if now >= self.ends_at:
            return "ended"
        waits = self.recurrence is not None and not self.recurrence.covers(now)
        return "pending" if now < self.starts_at or waits else "active"


class Inhibition(BaseModel, frozen=True, extra="forbid"):
    """While an alert like `source` fires, those like `target` with `equal` labels are not sent."""

    source: Mapping[str, str] = Field(min_length=1)
    target: Mapping[str, str] = Field(min_length=1)
    equal: tuple[str, ...] = ("alertname",)

    def sources(self, firing: Iterable[Labels]) -> Collection[tuple[str, ...]]:
        """Return the values of `equal` that the firing alerts like `source` have."""
        return {
            self._equal(labels)
            for labels in firing
            if _fits(labels, self.source) and not _fits(labels, self.target)
        }

    def mutes(self, labels: Labels, sources: Collection[tuple[str, ...]]) -> bool:
        """Return whether one of the sources mutes this alert."""
        return _fits(labels, self.target) and self._equal(labels) in sources

    def _equal(self, labels: Labels) -> tuple[str, ...]:
        return tuple(labels.get(name, "") for name in self.equal)


def alert_labels(rule: str, alert: SeriesAlert) -> Labels:
    """Return what silences and inhibitions match: the series' labels, alertname, severity.

    rule: the rule's key.
    """
    name, _, severity = rule.rpartition("/")
    return {**alert.labels, "alertname": name, "severity": severity}


@dataclass(frozen=True)
class Quiet:
    """All that may mute alerts at a moment."""

    now: datetime
    inhibitions: Sequence[Inhibition]
    silences: Sequence[Silence]
    firing: Sequence[Labels]

    @cached_property
    def _inhibiting(self) -> Sequence[tuple[Inhibition, Collection[tuple[str, ...]]]]:
        return [(one, one.sources(self.firing)) for one in self.inhibitions]

    def mutes(self, labels: Labels) -> str:
        """Return what mutes the alert; "" where nothing does."""
        for inhibition, sources in self._inhibiting:
            if inhibition.mutes(labels, sources):
                return f"inhibited by {dict(inhibition.source)}"
        for silence in self.silences:
            if silence.mutes(labels, self.now):
                return f"{silence.kind} {silence.id}"
        return ""


def _fits(labels: Labels, wanted: Labels) -> bool:
    """Return whether the labels have every wanted value."""
    return all(labels.get(name, "") == value for name, value in wanted.items())
