"""Reads the events out of a request's body: encoding, media type, JSON."""

import gzip
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic_core import from_json

from shared.errors import InvalidEvent, LengthRequired, TooLarge, UnsupportedMedia

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PLAIN = "application/json"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may carry."""

    events: int = 1000
    body_bytes: int = 1_048_576
    unpacked_bytes: int = 8_388_608


def read_events(body: bytes, headers: Mapping[str, str], limits: Limits) -> list[object]:
    """Return the events of a request as JSON values, not yet looked at.

    headers: names in lower case.
    Raises:
        InvalidEvent: or one of its subclasses; nothing can be made of the body as a whole.
    """
    if not body and "chunked" in headers.get("transfer-encoding", "").lower():
        raise LengthRequired(
            "The body came in chunks, which Azure Functions does not pass on. Send it whole, with "
            "a Content-Length header."
        )
    media = _media_type(headers.get("content-type", ""))
    text = _unpack(body, headers.get("content-encoding", "").strip().lower(), limits)
    events = _as_list(_parse(text), media)
    if len(events) > limits.events:
        raise TooLarge(
            f"{len(events)} events in one request; the limit is {limits.events}. Split the batch, "
            "or raise BATCH_MAX_EVENTS."
        )
    return events


def _media_type(content_type: str) -> str:
    """Return the media type without parameters, if it is one of ours."""
    media = content_type.split(";")[0].strip().lower()
    if media not in (PLAIN, SINGLE, BATCH):
        raise UnsupportedMedia(
            f"Content-Type is {media[:100] or 'absent'!r}. Send {PLAIN}, {SINGLE} or {BATCH}."
        )
    return media


def _unpack(body: bytes, encoding: str, limits: Limits) -> bytes:
    """Undo gzip, within the limits."""
    if len(body) > limits.body_bytes:
        raise TooLarge(
            f"The body has {len(body)} bytes; the limit is {limits.body_bytes}. Send fewer events "
            "in a request, compress with gzip, or raise BODY_MAX_BYTES."
        )
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise UnsupportedMedia(
            f"Content-Encoding is {encoding[:50]!r}. Send gzip, or no encoding at all."
        )
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(body)).read(limits.unpacked_bytes + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise InvalidEvent(
            f"The body is not gzip: {exc}. Compress it again, or drop the Content-Encoding header."
        ) from exc
    if len(unpacked) > limits.unpacked_bytes:
        raise TooLarge(
            f"The body unpacks to more than {limits.unpacked_bytes} bytes. Send fewer events in a "
            "request, or raise UNPACKED_MAX_BYTES."
        )
    return unpacked


def _parse(text: bytes) -> object:
    """Parse strict JSON: no NaN, no Infinity."""
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as exc:
        raise InvalidEvent(
            f"The body is not JSON: {exc}. Send a CloudEvents object, or an array of them."
        ) from None


def _as_list(value: object, media: str) -> list[object]:
    """Return the events: an array's, or the one object; CloudEvents types say which it must be."""
    is_array = isinstance(value, list)
    if media == BATCH and not is_array:
        raise InvalidEvent(f"{BATCH} is an array of events. Send an array, or use {SINGLE}.")
    if media == SINGLE and is_array:
        raise InvalidEvent(f"{SINGLE} is a single event. Send an object, or use {BATCH}.")
    events = cast("list[object]", value) if is_array else [value]
    if not events:
        raise InvalidEvent("The array holds no event. Send at least one.")
    return events
