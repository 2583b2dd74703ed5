"""Reads what the ingestion endpoint is sent, and judges each item as the service does."""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from shared.moments import read_moment
from standin.monitor.rows import Batch, add_rows
from standin.monitor.values import BadItem

OLDEST = timedelta(hours=48)
NEWEST = timedelta(hours=2)
MOST_ITEM_BYTES = 65_536


class UnreadableBody(ValueError):
    """The request as a whole cannot be read; nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why the item at `index` was refused."""

    index: int
    status: int
    message: str


@dataclass(frozen=True, slots=True)
class TrackAnswer:
    """What became of a request: every item without an error is stored durably."""

    received: int
    errors: tuple[ItemError, ...]

    @property
    def status(self) -> int:
        """200 all stored, 206 some, 400 none."""
        if not self.errors and self.received:
            return 200
        return 206 if len(self.errors) < self.received else 400

    def body(self) -> dict[str, object]:
        """Return the answer in the service's own words."""
        return {
            "itemsReceived": self.received,
            "itemsAccepted": self.received - len(self.errors),
            "appId": None,
            "errors": [
                {"index": e.index, "statusCode": e.status, "message": e.message}
                for e in self.errors
            ],
        }


def read_body(body: bytes, encoding: str) -> list[object]:
    """Return the items of a request: a JSON array, one object, or one object a line.

    encoding: the Content-Encoding, "" for none.
    Raises:
        UnreadableBody: not gzip or deflate as announced, or not JSON.
    """
    text = _unpacked(body, encoding)
    try:
        if text.lstrip()[:1] == b"[":
            return cast("list[object]", _json(text))
        return [_json(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise UnreadableBody("Invalid JSON: send an array of envelopes, or one a line.") from None


def _unpacked(body: bytes, encoding: str) -> bytes:
    try:
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "deflate":
            return zlib.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise UnreadableBody(f"The body is not {encoding}, as its header says.") from None
    if encoding not in ("", "identity"):
        raise UnreadableBody(f"Content-Encoding {encoding}: send gzip, deflate or none.")
    return body


def _json(text: bytes) -> object:
    value = json.loads(text, parse_constant=_refuse_constant)
    if b"\\ud" in text.lower():
        # Half a surrogate pair is good JSON and no storable text.
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def sizes_of(items: Sequence[object], body_bytes: int) -> Sequence[int]:
    """Return the bytes of each item; none can be too long when all of them together are not."""
    if body_bytes <= MOST_ITEM_BYTES:
        return [0] * len(items)
    return [len(json.dumps(item, ensure_ascii=False).encode()) for item in items]


def judge(
    items: Sequence[object], sizes: Sequence[int], now: datetime
) -> tuple[Batch, TrackAnswer]:
    """Turn the items into rows as of `now`, and say which were refused and why."""
    batch = Batch(received_at=now)
    errors: list[ItemError] = []
    for index, (item, size) in enumerate(zip(items, sizes, strict=True)):
        try:
            envelope, at = _accepted(item, size, now)
            add_rows(batch, envelope, at, index)
        except BadItem as bad:
            errors.append(ItemError(index, 400, str(bad)))
    return batch, TrackAnswer(len(items), tuple(errors))


def _accepted(item: object, size: int, now: datetime) -> tuple[Mapping[str, object], datetime]:
    """Return the envelope and its time in UTC, or raise the service's BadItem."""
    if not isinstance(item, Mapping):
        raise BadItem("Invalid item: an envelope is a JSON object")
    envelope = cast("Mapping[str, object]", item)
    if size > MOST_ITEM_BYTES:
        raise BadItem(f"Telemetry item length must not exceed {MOST_ITEM_BYTES}")
    for field in ("iKey", "time", "name", "data"):
        if not envelope.get(field):
            raise BadItem(
                f"109: Field '{field}' on type 'Envelope' is required but missing or empty"
            )
    at = _moment(envelope["time"])
    if at < now - OLDEST:
        raise BadItem(_LIMIT.format(103, "older than the allowed min", "-", OLDEST // _MS))
    if at > now + NEWEST:
        raise BadItem(_LIMIT.format(104, "newer than the max", "+", NEWEST // _MS))
    return envelope, at


_MS = timedelta(milliseconds=1)
_LIMIT = "{}: Field 'time' on type 'Envelope' is {} date. Expected: now {} {}ms"


def _moment(value: object) -> datetime:
    """Read an ISO 8601 time; one without a zone is UTC."""
    try:
        return read_moment(str(value))
    except ValueError:
        raise BadItem("Field 'time' on type 'Envelope' is not a valid date") from None
