"""The plan of a replay: from when to when, at what pace, and what goes wrong on the way."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, PlainValidator, ValidationError

from shared.alerting import muting
from shared.alerting.rule import Rule
from shared.alerting.schedule import floor
from shared.alerting.silences import parse_matcher
from shared.errors import Misconfigured
from shared.usecases.evaluation.run import FAST_EVERY

MINUTE = timedelta(minutes=1)
NO_ANSWER = 0
"""The status of a PagerDuty that cannot be reached."""

Seconds = Annotated[float, Field(allow_inf_nan=False)]
Wait = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Matcher = Annotated[muting.Matcher, PlainValidator(parse_matcher)]


class Span(BaseModel, frozen=True, extra="forbid"):
    """A time of the plan, in seconds from its start; `from` is in it, `to` is not."""

    from_: Seconds = Field(alias="from")
    to: Seconds

    def holds(self, at_s: float) -> bool:
        """Return whether that second is in it."""
        return self.from_ <= at_s < self.to


class Silence(Span, frozen=True):
    """Matching alerts are not sent, but never before it was created."""

    created: Seconds | None = None
    matchers: tuple[Matcher, ...] = Field(min_length=1)

    @property
    def begins(self) -> float:
        """Return the second from which it mutes."""
        return self.from_ if self.created is None else max(self.from_, self.created)


class EvaluationFault(Span, frozen=True):
    """The queries of that alert fail; without a name, all do."""

    alert: str | None = None


class PagerFault(Span, frozen=True):
    """PagerDuty answers this status; 0: it does not answer."""

    status: int = Field(ge=NO_ANSWER, le=599)


class IngestionFault(Span, frozen=True):
    """Azure Monitor answers this status to what is sent; 0: it does not answer."""

    status: int = Field(ge=NO_ANSWER, le=599)


class Delay(BaseModel, frozen=True, extra="forbid"):
    """From then on, rows are found so late."""

    at: Seconds
    delay_s: Wait


class Restart(BaseModel, frozen=True, extra="forbid"):
    """All that is in memory is dropped before the first tick from then on."""

    at: Seconds


class Plan(BaseModel, frozen=True, extra="forbid"):
    """What a plan's file says; docs/replay.md explains each field."""

    start: AwareDatetime
    duration_s: Wait
    tick_s: float = Field(60, ge=1, allow_inf_nan=False)
    ingest_delay_s: Wait = 0
    ingest_jitter_s: Wait = 0
    ingest_delays: tuple[Delay, ...] = ()
    ingestion_faults: tuple[IngestionFault, ...] = ()
    processing_faults: tuple[Span, ...] = ()
    sent_after_s: Wait = 0
    flush_s: Wait = 0
    queue_s: Wait = 0
    offset_s: Wait | None = None
    fast: bool = True
    silences: tuple[Silence, ...] = ()
    evaluation_faults: tuple[EvaluationFault, ...] = ()
    pagerduty_faults: tuple[PagerFault, ...] = ()
    restarts: tuple[Restart, ...] = ()

    def seconds(self, at: datetime) -> float:
        """Return the seconds from the start, a whole number where it is one."""
        passed = (at - self.start).total_seconds()
        return int(passed) if passed.is_integer() else passed

    def at_the_pace_of(self, rules: Sequence[Rule]) -> "Plan":
        """Return the plan with the timer's own pace, where rules with fast conditions ask for that
        and the plan wants no other."""
        is_fast = self.fast and any(rule.tallied for rule in rules)
        pace_s = FAST_EVERY.total_seconds()
        return self.model_copy(update={"tick_s": pace_s}) if is_fast and self.tick_s == 60 else self

    def delay_s(self, at: datetime) -> float:
        """Return how late a row is found that is sent then, without the jitter."""
        at_s = self.seconds(at)
        known = [one.delay_s for one in self.ingest_delays if one.at <= at_s]
        return known[-1] if known else self.ingest_delay_s

    def posted_at(self, at: datetime) -> datetime:
        """Return when an event of that time is sent."""
        late = at + timedelta(seconds=self.sent_after_s)
        step = timedelta(seconds=self.flush_s or min(self.tick_s, 60))
        return self.first_tick - (self.first_tick - late) // step * step

    def processed_at(self, at: datetime) -> datetime:
        """Return when a message is processed that comes at that moment."""
        at_s = self.seconds(at)
        held = [fault.to for fault in self.processing_faults if fault.holds(at_s)]
        return self.start + timedelta(seconds=max(held)) if held else at

    def ingestion_status(self, at: datetime) -> int | None:
        """Return what Azure Monitor answers to what is sent then; None where it works."""
        at_s = self.seconds(at)
        return next((fault.status for fault in self.ingestion_faults if fault.holds(at_s)), None)

    @property
    def first_tick(self) -> datetime:
        """Return the first whole minute from the start on: that is when a timer begins."""
        return floor(self.start + MINUTE - timedelta.resolution, MINUTE)

    @property
    def ticks(self) -> int:
        """Count the ticks, that of the last second included."""
        left_s = self.duration_s - self.seconds(self.first_tick)
        return int(left_s // self.tick_s) + 1

    def tick_at(self, number: int) -> datetime:
        """Return the moment of a tick; the first has number 0, those before it are below."""
        return self.first_tick + number * timedelta(seconds=self.tick_s)

    def tick_of(self, at: datetime) -> int:
        """Return the number of the first tick from that moment on."""
        return -((self.first_tick - at) // timedelta(seconds=self.tick_s))

    def pager_status(self, at: datetime) -> int | None:
        """Return what PagerDuty answers whatever it is asked; None where it works."""
        at_s = self.seconds(at)
        return next((fault.status for fault in self.pagerduty_faults if fault.holds(at_s)), None)

    def query_fails(self, alert: str, at: datetime) -> bool:
        """Return whether the queries of that alert fail then."""
        at_s = self.seconds(at)
        return any(
            fault.holds(at_s) and fault.alert in (None, alert) for fault in self.evaluation_faults
        )

    def muted(self) -> Sequence[muting.Silence]:
        """Return the silences, each from when it was created."""
        return [
            muting.Silence(
                f"{number} of the plan",
                silence.matchers,
                self.start
                + timedelta(seconds=max(silence.from_, silence.created or silence.from_)),
                self.start + timedelta(seconds=silence.to),
            )
            for number, silence in enumerate(self.silences, start=1)
        ]


def read_plan(path: Path) -> Plan:
    """Read a plan from JSON.

    Raises:
        Misconfigured: there is no such file, or it names every field that is wrong.
    """
    try:
        return Plan.model_validate_json(path.read_bytes())
    except OSError as exc:
        raise Misconfigured(f"{path} cannot be read ({exc}). Name a plan with --plan.") from exc
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()]
    raise Misconfigured(f"{path}: {'; '.join(problems)}. docs/replay.md shows a plan.")
