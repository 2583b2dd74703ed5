"""Judges events one by one: each becomes an event of ours, or a refusal that says why."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, to_json

from shared.events.types import AgentEvent, AnyEvent

MAX_EVENT_BYTES = 32_768
MAX_ESCAPED_BYTES = 60_000
"""As Azure Monitor's SDK sends it: an item may have 65,536, and the price is written beside it."""
_EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
_KINDS = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "union_tag_not_found": "unknown_type",
    "union_tag_invalid": "unknown_type",
}
REASONS = ("not_an_object", "too_large", *sorted(set(_KINDS.values())), "wrong_value")
"""Why an event is refused, as its metric names it."""
_REMEDIES = {
    "missing": "is missing. Add it",
    "extra_forbidden": "is not a field of this type. Remove it, or see docs/events.md for its name",
    "model_type": "is not an object. Send an object with the fields of this type",
    "union_tag_not_found": "is missing. Add the event's type, see docs/events.md",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken.

    index: its place in the request. id: as sent, None where there was none. reason: one of REASONS.
    """

    index: int
    id: str | None
    error: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with an event."""

    error: str
    reason: str


def judge(given: Sequence[object], received_at: datetime) -> tuple[list[AnyEvent], list[Refusal]]:
    """Return the events that are right, and a refusal for each that is not.

    An event without `time` happened when it was received.
    """
    events: list[AnyEvent] = []
    refused: list[Refusal] = []
    for index, value in enumerate(given):
        verdict = _judge_one(value, received_at)
        if isinstance(verdict, _Fault):
            refused.append(Refusal(index, _id_of(value), verdict.error, verdict.reason))
        else:
            events.append(verdict)
    return events, refused


def of_tenant(given: Sequence[object], tenant: str) -> list[object]:
    """Return the events with that tenant in place of any other; what is no event stays as it is."""
    return [_with_tenant(value, tenant) for value in given]


def _with_tenant(value: object, tenant: str) -> object:
    if not isinstance(value, dict):
        return value
    event = cast("dict[str, object]", value)
    data = event.get("data")
    if not isinstance(data, dict):
        return event
    return event | {"data": cast("dict[str, object]", data) | {"tenant": tenant}}


def _judge_one(value: object, received_at: datetime) -> AnyEvent | _Fault:
    """Return the event, or what is wrong with it."""
    if not isinstance(value, dict):
        error = "It is not a JSON object. Send an object with id, source, type and data."
        return _Fault(error, "not_an_object")
    stated = cast("dict[str, object]", value)
    if stated.get("time") is None:
        stated = {**stated, "time": received_at}
    if error := _size_fault(stated):
        return _Fault(error, "too_large")
    try:
        return cast(AnyEvent, _EVENT.validate_python(stated))
    except ValidationError as exc:
        problems = exc.errors(include_url=False, include_context=True)
        error = "; ".join(_say(problem, stated) for problem in problems[:5]) + "."
        return _Fault(error, _KINDS.get(problems[0]["type"], "wrong_value"))


def _size_fault(stated: dict[str, object]) -> str:
    """Say by how much the event is too large for the queue or for Azure Monitor; "" if it fits.

    Azure Monitor's SDK writes what is not ASCII as escapes, up to three times as long as UTF-8.
    """
    size = len(to_json(stated))
    if size > MAX_EVENT_BYTES:
        limit = f"{size} bytes; the limit is {MAX_EVENT_BYTES}"
    elif size * 3 > MAX_ESCAPED_BYTES and (size := _escaped_bytes(stated)) > MAX_ESCAPED_BYTES:
        limit = f"{size} bytes when \\u escapes are written out; the limit is {MAX_ESCAPED_BYTES}"
    else:
        return ""
    return f"The event has {limit}. Shorten its texts, or split it."


def _escaped_bytes(stated: dict[str, object]) -> int:
    return len(json.dumps(stated, default=str))


def _say(problem: ErrorDetails, stated: dict[str, object]) -> str:
    """Put one of pydantic's findings in a sender's words: the field, then what to do."""
    kind = problem["type"]
    if kind == "union_tag_invalid":
        known = problem.get("ctx", {}).get("expected_tags", "")
        return f"type {str(stated.get('type'))[:80]!r} is unknown. Send one of {known}"
    if kind == "union_tag_not_found":
        return f"type {_REMEDIES[kind]}"
    field = ".".join(str(part) for part in problem["loc"][1:]) or "data"
    if kind in _REMEDIES:
        return f"{field} {_REMEDIES[kind]}"
    message = problem["msg"].removeprefix("Value error, ")
    shown = repr(problem["input"])[:60] if _may_be_shown(problem["input"]) else ""
    return f"{field}{': ' + shown if shown else ''} is wrong: {message}"


def _may_be_shown(value: object) -> bool:
    """Short plain values help the sender; texts may hold what no log should hold."""
    return isinstance(value, int | float | bool) or (isinstance(value, str) and len(value) <= 40)


def _id_of(value: object) -> str | None:
    """Return the event's id where it has one."""
    stated = cast("dict[str, object]", value).get("id") if isinstance(value, dict) else None
    return stated[:256] if isinstance(stated, str) else None
