"""A row of Azure Tables: what fits into it, and what can be done to it in a transaction."""

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from shared.errors import GiveUp

MOST_OPERATIONS = 100
"""What one transaction may hold."""

_MOST_TRANSACTION_BYTES = 4 * 1024 * 1024
_OPERATION_BYTES = 1024  # the headers and keys of one operation, on the safe side
_PROPERTY_BYTES = 64 * 1024
_MOST_PROPERTIES = 11  # in base64, as they travel, just under the 1 MiB that an entity may have

Fields = Mapping[str, str | int | bool | bytes]
Operation = tuple[str, Fields, Mapping[str, object]]
"""What to do, the row with its keys, and on what condition: as the SDK wants it."""
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read. etag: names this state of it, for replace()."""

    partition: str
    key: str
    fields: Mapping[str, Any]
    etag: str


def create(partition: str, key: str, fields: Fields) -> Operation:
    """Insert the row; a conflict where it is there."""
    return "create", _entity(partition, key, fields), {}


def upsert(partition: str, key: str, fields: Fields) -> Operation:
    """Insert the row, or replace it, whatever it was."""
    return "upsert", _entity(partition, key, fields), {"mode": UpdateMode.REPLACE}


def merge(partition: str, key: str, fields: Fields) -> Operation:
    """Change these fields of the row and leave the others; a conflict where it is gone."""
    return "update", _entity(partition, key, fields), {"mode": UpdateMode.MERGE}


def replace(partition: str, key: str, fields: Fields, etag: str = "*") -> Operation:
    """Replace the row; a conflict where it is gone, or not what it was (`*`: whatever it was)."""
    condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    return "update", _entity(partition, key, fields), {"mode": UpdateMode.REPLACE, **condition}


def delete(partition: str, key: str, etag: str = "*") -> Operation:
    """Delete the row; a conflict where it is gone, or not what it was (`*`: whatever it was)."""
    condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    return "delete", _entity(partition, key, {}), {} if etag == "*" else condition


def check_size(operations: Sequence[Operation]) -> None:
    """Refuse what the service would answer with a bare 400.

    Raises:
        GiveUp: more than one transaction may hold.
    """
    size = sum(_wire_bytes(fields) for _, fields, _ in operations)
    if len(operations) > MOST_OPERATIONS or size > _MOST_TRANSACTION_BYTES:
        raise GiveUp(
            f"{len(operations)} rows of {size} bytes must change together; Azure Tables takes "
            f"{MOST_OPERATIONS} rows of {_MOST_TRANSACTION_BYTES} bytes. Lower SERIES_MAX, "
            "or have rules return fewer series."
        )


def packed(text: str, what: str) -> dict[str, bytes]:
    """Compress the text into fields of a row. what: names it in an error, and ends with a remedy.

    Raises:
        GiveUp: it is more than a row holds.
    """
    data = zlib.compress(text.encode(), 3)
    starts = range(0, len(data), _PROPERTY_BYTES)
    if len(starts) > _MOST_PROPERTIES:
        raise GiveUp(
            f"{len(data)} compressed bytes are more than the {_MOST_PROPERTIES * _PROPERTY_BYTES} "
            f"that a row of Azure Tables holds: {what}"
        )
    return {f"data{n:02}": data[at : at + _PROPERTY_BYTES] for n, at in enumerate(starts)}


def unpacked(row: Row) -> str:
    """Return the text that was packed into the row."""
    parts = [row.fields[name] for name in sorted(row.fields) if name.startswith("data")]
    return zlib.decompress(b"".join(parts)).decode()


def text_key(text: str) -> str:
    """Return a key that Azure Tables takes: a rule's has a slash, which it does not."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def hour_of(at: datetime) -> str:
    """Return the hour in UTC as text that sorts by time; what is forgotten goes by the hour."""
    return f"{at.astimezone(UTC):%Y%m%d%H}"


def parts_of(items: Iterable[Item], most: int = MOST_OPERATIONS) -> Iterable[list[Item]]:
    """Split into lists of at most so many, without reading ahead."""
    source = iter(items)
    while part := list(islice(source, most)):
        yield part


def _entity(partition: str, key: str, fields: Fields) -> Fields:
    return {"PartitionKey": partition, "RowKey": key, **fields}


def _wire_bytes(fields: Fields) -> int:
    """What the row takes in a request: bytes travel in base64, four for three."""
    lengths = (len(v) for v in fields.values() if isinstance(v, str | bytes))
    return _OPERATION_BYTES + sum(lengths) * 4 // 3
