"""Reads the events out of a request's body: media type, JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic_core import from_json

from shared.errors import InvalidEvent, TooLarge, UnsupportedMedia
from shared.events.unpack import Sizes, refuse_chunks, unpack

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
    """Return the events of a request as JSON values, not yet validated.

    headers: names in lower case.
    Raises:
        InvalidEvent: or one of its subclasses; nothing can be made of the body as a whole.
    """
    refuse_chunks(body, headers)
    media = _media_type(headers.get("content-type", ""))
    text = unpack(body, headers, Sizes(limits.body_bytes, limits.unpacked_bytes))
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
