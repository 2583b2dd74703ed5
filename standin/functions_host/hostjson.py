"""What of host.json the local host heeds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from shared.errors import Misconfigured

TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)", re.ASCII)
DAYS = re.compile(r"\d{1,8}", re.ASCII)
DAY_S, HOUR_S, MINUTE_S = 86_400, 3_600, 60


def span_s(text: str) -> float | None:
    """Return the seconds of a TimeSpan such as 00:00:30 or 1.00:00:00; None if it is none.

    As .NET reads it, 5 is five days, and 24:00:00 is 24, since no day has an hour 24.
    """
    if DAYS.fullmatch(text):
        return float(text) * DAY_S
    parts = TIME_SPAN.fullmatch(text)
    if parts is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    if hours * HOUR_S >= DAY_S and parts[1] is None:
        days, hours, minutes, seconds = hours, minutes, seconds, 0
    if hours * HOUR_S >= DAY_S or max(minutes, seconds) >= MINUTE_S:
        return None
    return days * DAY_S + hours * HOUR_S + minutes * MINUTE_S + seconds


def _seconds(value: object) -> object:
    """Turn a TimeSpan into seconds; leave all else for pydantic to refuse."""
    return span_s(value) if isinstance(value, str) else value


Span = Annotated[float, BeforeValidator(_seconds)]


class _Queues(BaseModel, frozen=True):
    """The section extensions.queues, with Azure's names, limits and defaults."""

    batchSize: int = Field(16, ge=1, le=32)
    newBatchThreshold: int | None = Field(None, ge=0)
    maxDequeueCount: int = Field(5, ge=1)
    visibilityTimeout: Span = Field(0.0, ge=0, le=7 * 86_400)
    maxPollingInterval: Span = Field(60.0, ge=0.1)
    messageEncoding: Literal["base64", "none"] = "base64"


class _Http(BaseModel, frozen=True):
    routePrefix: str = "api"


class _Extensions(BaseModel, frozen=True):
    http: _Http = _Http()
    queues: _Queues = _Queues.model_validate({})


class _HostJson(BaseModel, frozen=True):
    version: Literal["2.0"]
    extensions: _Extensions = _Extensions()


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The options of host.json. Times are seconds; message_limit_bytes is of the plain message."""

    route_prefix: str
    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    visibility_timeout_s: float
    max_polling_interval_s: float
    message_limit_bytes: int


def read_host_json(document: Mapping[str, object]) -> HostOptions:
    """Read the parsed host.json; whatever is absent gets Azure's default.

    Raises:
        Misconfigured: names every wrong value.
    """
    try:
        found = _HostJson.model_validate(document)
    except ValidationError as exc:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()]
        raise Misconfigured("host.json: " + "; ".join(wrong) + ". Fix it.") from exc
    queues = found.extensions.queues
    threshold = queues.newBatchThreshold
    return HostOptions(
        route_prefix=found.extensions.http.routePrefix.strip("/"),
        batch_size=queues.batchSize,
        new_batch_threshold=queues.batchSize // 2 if threshold is None else threshold,
        max_dequeue_count=queues.maxDequeueCount,
        visibility_timeout_s=queues.visibilityTimeout,
        max_polling_interval_s=queues.maxPollingInterval,
        # 64 KiB go over the wire; base64 makes four bytes of three.
        message_limit_bytes=49_152 if queues.messageEncoding == "base64" else 65_536,
    )
