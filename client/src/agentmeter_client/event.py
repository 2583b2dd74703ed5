"""An event as it waits in memory, and as the wire has it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from agentmeter_client.clock import rfc3339

TEXTS = frozenset({"message", "error"})
TEXT_LENGTH, NAME_LENGTH = 8192, 1024


def _plain(value: object) -> object:
    """Write money exactly; refuse what has no JSON."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


_JSON = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=_plain)


class Event(NamedTuple):
    """One event, fixed when it is made: a repeat sends the same id and time.

    number: counts the events of a line from 1; line: the line's own id.
    """

    number: int
    line: str
    source: str
    kind: str
    at: float
    traceparent: str | None
    who: Mapping[str, str]
    data: Mapping[str, object]

    @property
    def id(self) -> str:
        """Return the id: unique, because the line's own is random."""
        return f"{self.line}-{self.number}"


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON.

    Raises:
        TypeError, ValueError: a field holds what JSON cannot.
    """
    body: dict[str, object] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.kind,
        "time": rfc3339(event.at),
        "data": _present({**event.who, **event.data}),
    }
    if event.traceparent:
        body["traceparent"] = event.traceparent
    return _JSON.encode(body).encode("utf-8", "replace")


def join(events: Sequence[bytes]) -> bytes:
    """Return the array of those events, one a line."""
    return b"[" + b",\n".join(events) + b"]"


def split(array: bytes) -> list[bytes]:
    """Undo join: JSON text never holds a bare line break."""
    return array[1:-1].split(b",\n")


def _present(fields: Mapping[str, object]) -> dict[str, object]:
    """Return what is set, texts no longer than the API takes them."""
    return {
        name: value[: TEXT_LENGTH if name in TEXTS else NAME_LENGTH]
        if isinstance(value, str)
        else value
        for name, value in fields.items()
        if value is not None
    }
