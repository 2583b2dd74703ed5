"""What the answers of all model providers share."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.loopback import Reply

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """A call as it was answered; input holds what was cached and written, output the reasoning.

    told: the answer said what was used.
    """

    model: str
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    status: str = "success"
    stated: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that is to be answered, and what it used."""

    path: str
    asked: Json
    used: Answered

    def id(self, prefix: str) -> str:
        """Return an id for the answer."""
        return f"{prefix}{time.time_ns():024x}"

    def at(self) -> int:
        """Return when it is answered."""
        return time.time_ns() // 10**9


JSON_TYPE = {"Content-Type": "application/json"}


def arguments(schema: Mapping[str, Any]) -> Json:
    return dict.fromkeys(schema.get("properties") or {}, "Paris")


def slow_down() -> Reply:
    error = {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
    return as_json({"type": "error", "error": error}, 429)


def as_json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), JSON_TYPE)


def events(events: Sequence[Json]) -> Reply:
    return stream([f"event: {event['type']}\ndata: {json.dumps(event)}" for event in events])


def stream(blocks: Sequence[str]) -> Reply:
    body = "".join(f"{block}\n\n" for block in blocks)
    return Reply(200, body.encode(), {"Content-Type": "text/event-stream"})
