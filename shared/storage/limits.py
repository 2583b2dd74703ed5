"""The limits of Azure Tables, which every driver holds."""

import re
from collections.abc import Sequence

from shared.errors import GiveUp
from shared.storage.rows import Change, Delete, Fields, Value

MOST_CHANGES = 100
"""Changes of one transaction."""
MOST_FIELD_BYTES = 64 * 1024
"""Of bytes, or of text in UTF-16."""

_MOST_TRANSACTION_BYTES = 4 * 1024 * 1024
_MOST_ROW_BYTES = 1024 * 1024
_MOST_FIELDS = 252
_CHANGE_BYTES = 1024  # the headers and keys of one change on the wire, on the safe side
_KEY = re.compile(r"[ !\"$&-.0->@-\[\]-~]{1,512}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_RESERVED = {"PartitionKey", "RowKey", "Timestamp", "etag"}


def check(partition: str, changes: Sequence[Change]) -> None:
    """Refuse what Azure Tables would answer with a bare 400.

    Raises:
        GiveUp: names the limit.
    """
    if not 1 <= len(changes) <= MOST_CHANGES:
        raise GiveUp(
            f"{len(changes)} rows must change together; Azure Tables takes 1 to {MOST_CHANGES}. "
            "Lower SERIES_MAX, or have rules return fewer series."
        )
    check_key(partition)
    size = sum(_checked(change) for change in changes)
    if size > _MOST_TRANSACTION_BYTES:
        raise GiveUp(
            f"{len(changes)} rows of {size} bytes must change together; Azure Tables takes "
            f"{_MOST_TRANSACTION_BYTES} bytes. Lower SERIES_MAX, or have rules return fewer series."
        )
    if len({change.key for change in changes}) < len(changes):
        raise GiveUp(
            "A row is changed twice in one transaction, which Azure Tables never takes. "
            "Please report it."
        )


def check_key(key: str) -> None:
    """Refuse a key with other characters than printable ASCII without / \\ # ? %.

    Raises:
        GiveUp: names the key.
    """
    if not _KEY.fullmatch(key):
        raise GiveUp(f"Azure Tables takes no key like {key[:80]!r}. Please report it.")


def _checked(change: Change) -> int:
    """Return what the change takes on the wire at the most; raises as check()."""
    check_key(change.key)
    if isinstance(change, Delete):
        return _CHANGE_BYTES
    return _CHANGE_BYTES + _wire_bytes(change.fields)


def _wire_bytes(fields: Fields) -> int:
    """Return the bytes of the fields in a request: base64 for bytes, JSON for text."""
    if len(fields) > _MOST_FIELDS:
        raise GiveUp(f"A row has {len(fields)} fields; Azure Tables takes {_MOST_FIELDS}.")
    stored = wire = 0
    for name, value in fields.items():
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise GiveUp(f"Azure Tables takes no field named {name[:80]!r}. Please report it.")
        size = _stored_bytes(value)
        if size > MOST_FIELD_BYTES:
            raise GiveUp(f"Field {name} has {size} bytes; Azure Tables takes {MOST_FIELD_BYTES}.")
        stored += size
        wire += size * 4 // 3 if isinstance(value, bytes) else size * 3
    if stored > _MOST_ROW_BYTES:
        raise GiveUp(f"A row has {stored} bytes; Azure Tables takes {_MOST_ROW_BYTES}.")
    return wire


def _stored_bytes(value: Value) -> int:
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return 2 * len(value) if value.isascii() else len(value.encode("utf-16-le"))
    return 8
