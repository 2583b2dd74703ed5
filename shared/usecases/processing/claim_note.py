"""What is kept of a model call that was claimed, and what a further report of it adds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from shared.events.columns import OWNER
from shared.events.identity import response_key
from shared.events.otlp.record import Call
from shared.events.otlp.twins import merged, sizes
from shared.events.types import AnyEvent, Event, LlmCall
from shared.mark_port import NEVER
from shared.pricing.cost import Cost
from shared.units import Usage
from shared.usecases.processing.exporting import OLDEST, nearest

PriceOf = Callable[[LlmCall, datetime], Cost]
REPEATED = "repeated"
"""Holds the claim of a call that another span reports, and is counted under that one."""
_UNKNOWN = "unknown"
_NAMES = ("provider", "model", "response_model", "deployment", "service_tier")
_SURE = {"unknown": 0, "estimated": 1}
_SUREST = 2


@dataclass(frozen=True, slots=True)
class Rivals:
    """Claim keys of further reports of an event: of the same call, and of what includes it; what
    is around it and reports no other call is both."""

    twins: tuple[str, ...] = ()
    around: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimNote:
    """What the claim of an event keeps; it never changes.

    event, cost: as they were counted, where it is a model call. at: when its row stands in the
        log, where that is another time than the event's.
    twins, around: as in Rivals. response: the claim key of its answer, where that is not the
        event's to say. repeats: of a claim held by REPEATED, the key of the event that claimed it.
    """

    event: Event[Literal["llm.call"], LlmCall] | None = None
    cost: Cost | None = None
    at: AwareDatetime | None = None
    twins: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    response: str | None = None
    repeats: str = ""

    def claims(self, key: str) -> dict[str, str]:
        """Return the claims that decide whether the event of this key is counted, with who wants
        each: those of the same call first."""
        same = {self.answer: key} if self.answer else dict[str, str]()
        return {
            **dict.fromkeys(self.twins, REPEATED),
            **same,
            **dict.fromkeys(self.around, REPEATED),
        }

    @property
    def answer(self) -> str | None:
        """Return the claim key of the call's answer, or of a tool's work."""
        return response_key(self.event) if self.event else self.response

    def is_inside(self, key: str) -> bool:
        """Return whether the event of that key includes this call, and perhaps others."""
        return key in self.around and key not in self.twins

    def may_be(self, other: "ClaimNote") -> bool:
        """Return whether this call and another have no two answers."""
        return None in {self.answer, other.answer} or self.answer == other.answer

    def can_be_corrected(self, now: datetime) -> bool:
        """Return whether Azure Monitor still takes a row of the time of this one."""
        return self.event is not None and self.row_at() > now - OLDEST

    @property
    def has_usage(self) -> bool:
        """Return whether it is a call whose usage is known."""
        return self.event is not None and self.event.data.usage is not None

    def row_at(self) -> datetime:
        """Return when its row stands in the log."""
        return self.at or (self.event.time if self.event else NEVER)

    def text(self) -> str | None:
        """Write it for the claim; None where there is nothing that a later message needs."""
        if self.event is None and not (self.twins or self.around or self.repeats):
            return None
        return _NOTE.dump_json(self, exclude_defaults=True).decode()


_NOTE = TypeAdapter(ClaimNote)


def read_note(text: str) -> ClaimNote:
    """Read what text() wrote; "" is a note of nothing."""
    return _NOTE.validate_json(text) if text else ClaimNote()


def repeated_by(key: str, *, is_around: bool) -> ClaimNote:
    """Return the note of a claim held by REPEATED. is_around: it is of what includes the event."""
    return ClaimNote(repeats=key, around=(key,) if is_around else ())


def note_of(event: AnyEvent, cost: Cost | None, rivals: Rivals, now: datetime) -> ClaimNote:
    """Return what is to be kept of an event."""
    is_call = isinstance(event.data, LlmCall)
    at = nearest(event.time, now)
    return ClaimNote(
        event=cast("Event[Literal['llm.call'], LlmCall]", event) if is_call else None,
        cost=cost,
        at=at if is_call and at != event.time else None,
        twins=rivals.twins,
        around=rivals.around,
        response=None if is_call else response_key(event),
    )


def improved(known: ClaimNote, report: AnyEvent, price: PriceOf) -> ClaimNote | None:
    """Return the call with what the report knows besides, None where it knows no more.

    Two reports that state other sizes contradict each other: the first stays.
    """
    if known.event is None or known.cost is None or not isinstance(report.data, LlmCall):
        return None
    counted, other = known.event.data, report.data
    if counted.count != other.count or not _agree(counted.usage, other.usage):
        return None
    tried = [_noted(known, call, price) for call in _both(counted, other)]
    best = max(tried, key=_sureness, default=None)
    return best if best is not None and any(learnt(known, best, report)) else None


def learnt(before: ClaimNote, after: ClaimNote, report: AnyEvent) -> Iterator[str]:
    """Yield the names of what the later state knows and the earlier one did not.

    An owner that another span of the trace names is learnt by the trace, and no correction.
    """
    old, new = before.event, after.event
    if old is None or new is None or before.cost is None or after.cost is None:
        return
    if new.data.usage and not old.data.usage:
        yield "usage"
    elif new.data.usage:
        counts = vars(old.data.usage)
        yield from (name for name, count in vars(new.data.usage).items() if count > counts[name])
    if _is_surer(before.cost, after.cost):
        yield "price"
    if not (old.traceparent and report.traceparent and _trace(old) == _trace(report)):
        yield from (name for name in OWNER if _owned(new, name) and not _owned(old, name))


def contradicts(known: ClaimNote, report: AnyEvent) -> bool:
    """Return whether the report states other counts than the call that was counted."""
    call = known.event.data if known.event else None
    other = report.data if isinstance(report.data, LlmCall) else None
    return call is not None and other is not None and not _agree(call.usage, other.usage)


def _agree(one: Usage | None, other: Usage | None) -> bool:
    """Return whether two reports state the same sizes, as far as both state them."""
    if one is None or other is None:
        return True
    pairs = zip(sizes(vars(one)), sizes(vars(other)), strict=True)
    return all(mine == theirs or not mine or not theirs for mine, theirs in pairs)


def _is_surer(before: Cost, after: Cost) -> bool:
    """Return whether a price is one at last, or has fewer doubts."""
    if after.usd is None or before.usd is None:
        return after.usd is not None and before.usd is None
    grade = [_SURE.get(cost.status, _SUREST) for cost in (before, after)]
    return grade[1] > grade[0] or set(after.missing) < set(before.missing)


def _sureness(note: ClaimNote) -> tuple[bool, int, int]:
    cost = note.cost or Cost(None, "unknown", "")
    return cost.usd is not None, _SURE.get(cost.status, _SUREST), -len(cost.missing)


def _noted(known: ClaimNote, call: LlmCall, price: PriceOf) -> ClaimNote:
    event = known.event.model_copy(update={"data": call}) if known.event else None
    at = known.row_at()
    cost = price(call, event.time if event else at)
    return ClaimNote(event, cost, known.at)


def _both(known: LlmCall, other: LlmCall) -> Iterator[LlmCall]:
    """Yield the call with what both know: by the names that the better report has for it, and,
    should these have no price, by the other's."""
    first, second = sorted((known, other), key=_knowledge, reverse=True)
    together = merged(_call_of(first), [_call_of(second)])
    owner = {name: getattr(known, name) or getattr(other, name) for name in OWNER}
    stated: dict[str, object] = {
        **{name: value for name, value in vars(known).items() if value is not None},
        **{name: value for name, value in owner.items() if value},
        "duration_s": known.duration_s if known.duration_s is not None else other.duration_s,
        "response_id": known.response_id or other.response_id,
        "usage": together.usage,
        "doubts": together.doubts,
        "cost_usd": together.cost_usd,
    }
    named = {name: getattr(together, name) or _UNKNOWN for name in ("provider", "model")}
    named |= {name: getattr(together, name) for name in _NAMES[2:]}
    for names in (named, {name: getattr(second, name) for name in _NAMES}):
        try:
            yield LlmCall.model_validate({**stated, **names})
        except ValidationError:  # the counts of two reports fit no call
            return


def _knowledge(call: LlmCall) -> tuple[int, int, int]:
    """Return how much a report knows, as twins.knowledge() does for a span."""
    counts = sum(1 for count in vars(call.usage).values() if count) if call.usage else 0
    return int(call.usage is not None), counts - len(call.doubts), int(bool(call.response_id))


def _call_of(call: LlmCall) -> Call:
    return Call(
        provider=call.provider,
        model=None if call.model == _UNKNOWN else call.model,
        response_model=call.response_model,
        response_id=call.response_id,
        service_tier=call.service_tier,
        deployment=call.deployment,
        usage={n: count for n, count in vars(call.usage).items() if count} if call.usage else None,
        doubts=call.doubts,
        notes=(),
        cost_usd=None if call.cost_usd is None else str(call.cost_usd),
    )


def _owned(event: AnyEvent, name: str) -> object:
    return getattr(event.data, name, None)


def _trace(event: AnyEvent) -> str:
    """Return the trace that the event's traceparent names."""
    return (event.traceparent or "")[3:35]
