"""The two encodings of OTLP over HTTP, and which one a request has."""

from collections.abc import Mapping
from typing import Literal

from shared.errors import UnsupportedMedia

Media = Literal["application/x-protobuf", "application/json"]
PROTOBUF: Media = "application/x-protobuf"
JSON: Media = "application/json"
_MEDIA: Mapping[str, Media] = {
    PROTOBUF: PROTOBUF,
    "application/protobuf": PROTOBUF,
    JSON: JSON,
}


def media_of(headers: Mapping[str, str]) -> Media | None:
    """Return the encoding that Content-Type names, None where it is none of ours.

    headers: names in lower case.
    """
    return _MEDIA.get(headers.get("content-type", "").split(";")[0].strip().lower())


def media_wanted(headers: Mapping[str, str]) -> Media:
    """Return the encoding that Content-Type names.

    Raises:
        UnsupportedMedia: it is none of ours.
    """
    if media := media_of(headers):
        return media
    stated = headers.get("content-type", "")[:100] or "absent"
    raise UnsupportedMedia(
        f"Content-Type is {stated!r}. Send {PROTOBUF} or {JSON}, as the body is."
    )
