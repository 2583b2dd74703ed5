"""Undoes what a sender did to a body on its way: chunks are refused, compression is undone."""

import gzip
import io
import zlib
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import InvalidEvent, LengthRequired, TooLarge, UnsupportedMedia

_ZLIB, _RAW = 15, -15
"""What `deflate` means, and what some senders take it for."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a body may be, as it comes and unpacked, and which settings say so."""

    wire_bytes: int
    unpacked_bytes: int
    wire_setting: str = "BODY_MAX_BYTES"
    unpacked_setting: str = "UNPACKED_MAX_BYTES"


def refuse_chunks(body: bytes, headers: Mapping[str, str]) -> None:
    """Refuse a body in chunks, which the Functions host hands over empty.

    Raises:
        LengthRequired: it came so.
    """
    if not body and "chunked" in headers.get("transfer-encoding", "").lower():
        raise LengthRequired(
            "The body came in chunks, which Azure Functions does not pass on over gRPC. Send it "
            "whole, with a Content-Length header, or set HTTP_PROXYING=1."
        )


def unpack(body: bytes, headers: Mapping[str, str], sizes: Sizes) -> bytes:
    """Undo gzip or deflate, within the limits; a byte order mark is read over.

    Raises:
        TooLarge: as it comes, or unpacked.
        UnsupportedMedia: another encoding.
        InvalidEvent: the encoding is not what the header says.
    """
    if len(body) > sizes.wire_bytes:
        raise TooLarge(
            f"The body has {len(body)} bytes; the limit is {sizes.wire_bytes}. Send less in a "
            f"request, compress with gzip, or raise {sizes.wire_setting}."
        )
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body.removeprefix(BOM_UTF8)
    if encoding not in ("gzip", "deflate"):
        raise UnsupportedMedia(
            f"Content-Encoding is {encoding[:50]!r}. Send gzip, deflate, or no encoding at all."
        )
    undo = _gunzip if encoding == "gzip" else _inflate
    try:
        unpacked = undo(body, sizes.unpacked_bytes + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise InvalidEvent(
            f"The body is not {encoding}: {exc}. Compress it again, or drop the Content-Encoding "
            "header."
        ) from exc
    if len(unpacked) > sizes.unpacked_bytes:
        raise TooLarge(
            f"The body unpacks to more than {sizes.unpacked_bytes} bytes. Send less in a request, "
            f"or raise {sizes.unpacked_setting}."
        )
    return unpacked.removeprefix(BOM_UTF8)


def _gunzip(body: bytes, most_bytes: int) -> bytes:
    return gzip.GzipFile(fileobj=io.BytesIO(body)).read(most_bytes)


def _inflate(body: bytes, most_bytes: int) -> bytes:
    try:
        return _inflated(body, _ZLIB, most_bytes)
    except zlib.error:
        return _inflated(body, _RAW, most_bytes)


def _inflated(body: bytes, window: int, most_bytes: int) -> bytes:
    stream = zlib.decompressobj(window)
    unpacked = stream.decompress(body, most_bytes)
    if len(unpacked) < most_bytes and not stream.eof:
        raise EOFError("it ends too early")
    return unpacked
