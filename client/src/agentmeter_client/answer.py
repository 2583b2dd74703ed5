"""What the endpoint's answers mean for a batch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Union, cast

from agentmeter_client.clock import now

LONGEST_WAIT_S = 600.0
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Refusal(NamedTuple):
    """An event that the API will never take; place: in the batch, from 0."""

    place: int
    error: str


class Taken(NamedTuple):
    """The batch is the API's now, but for those that it refused."""

    refused: tuple[Refusal, ...] = ()


class Split(NamedTuple):
    """The batch as a whole is not taken; a part may be."""

    why: str


class Later(NamedTuple):
    """Not taken now; the same may be sent again.

    retry_after_s: what the other side asked for. broken: waiting alone will not fix it.
    """

    why: str
    retry_after_s: float | None = None
    broken: bool = False


Verdict = Union[Taken, Split, Later]


def read(status: int, headers: Mapping[str, str], body: bytes) -> Verdict:
    """Return what became of the batch.

    What is not plainly a verdict on the events, such as a refused key or a page of some proxy,
    means later: an operator can fix it, and nothing is lost meanwhile but what overflows.
    """
    said = _object(body)
    refused = _refused(said)
    if status == 202:
        return Taken()
    if status == 207 or (status == 400 and refused):
        return Taken(refused)
    why = f"{status} {said.get('error') or ''}".strip()[:500]
    if status in (400, 413, 422):
        return Split(why)
    return Later(why, _retry_after_s(headers), broken=status not in BUSY)


def _object(body: bytes) -> Mapping[str, object]:
    """Return the JSON object of the answer, an empty one where it has none."""
    try:
        said: object = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, object]", said) if isinstance(said, dict) else {}


def _refused(said: Mapping[str, object]) -> tuple[Refusal, ...]:
    """Return the events that the answer names."""
    listed = said.get("rejected")
    named = cast("list[object]", listed) if isinstance(listed, list) else []
    entries = [cast("dict[str, object]", one) for one in named if isinstance(one, dict)]
    return tuple(
        Refusal(index, str(one.get("error"))[:500])
        for one in entries
        if isinstance(index := one.get("index"), int)
    )


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait that the answer asks for: seconds, or until a date."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return min(float(asked), LONGEST_WAIT_S)
    try:
        until: datetime = parsedate_to_datetime(asked)
        return min(max(until.timestamp() - now(), 0.0), LONGEST_WAIT_S)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
