"""How text becomes fields and keys of a row, and moments become text that sorts."""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from shared.errors import GiveUp
from shared.storage.limits import MOST_CHANGES, MOST_FIELD_BYTES
from shared.storage.rows import Row

Item = TypeVar("Item")

_MOST_FIELDS = 11
"""In base64, as they travel, just under the 1 MiB that a row may have."""
PACKED_BYTES = _MOST_FIELDS * MOST_FIELD_BYTES
"""Compressed bytes that one row holds."""


def packed(text: str, what: str) -> dict[str, bytes]:
    """Compress the text into fields of a row. what: names it in an error, and ends with a remedy.

    Raises:
        GiveUp: it is more than a row holds.
    """
    data = zlib.compress(text.encode(), 3)
    if len(data) > PACKED_BYTES:
        raise GiveUp(
            f"{len(data)} compressed bytes are more than the {PACKED_BYTES} that a row of Azure "
            f"Tables holds: {what}"
        )
    starts = range(0, len(data), MOST_FIELD_BYTES)
    return {f"data{n:02}": data[at : at + MOST_FIELD_BYTES] for n, at in enumerate(starts)}


def unpacked(row: Row) -> str:
    """Return the text that was packed into the row.

    Raises:
        ValueError: the row is damaged.
    """
    names = sorted(name for name in row.fields if name.startswith("data"))
    parts = [value for name in names if isinstance(value := row.fields[name], bytes)]
    try:
        return zlib.decompress(b"".join(parts)).decode()
    except zlib.error as exc:
        raise ValueError(f"{row.key} is damaged: {exc}") from None


def text_key(text: str) -> str:
    """Return a key for any text: a rule's has a slash, which Azure Tables does not take."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def text_of_key(key: str) -> str:
    """Return the text that a key was made of, or the key where it is no such one."""
    try:
        return urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
    except ValueError:
        return key


def hour_of(at: datetime) -> str:
    """Return the hour in UTC as text that sorts by time; what is forgotten goes by the hour."""
    return f"{at.astimezone(UTC):%Y%m%d%H}"


def parts_of(items: Iterable[Item], most: int = MOST_CHANGES) -> Iterable[list[Item]]:
    """Split into lists of at most so many, without reading ahead."""
    source = iter(items)
    while part := list(islice(source, most)):
        yield part
