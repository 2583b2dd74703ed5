"""Queries of Azure Tables as OData filters."""

from shared.storage.rows import Within


def matching(partitions: Within, keys: Within) -> str:
    """Return the filter for rows of these partitions and keys, "" for all rows."""
    return " and ".join([*_within("PartitionKey", partitions), *_within("RowKey", keys)])


def _within(name: str, wanted: Within) -> list[str]:
    if isinstance(wanted, str):
        return [f"{name} eq {_quoted(wanted)}"]
    start = [f"{name} ge {_quoted(wanted.start)}"] if wanted.start else []
    return start + ([f"{name} lt {_quoted(wanted.end)}"] if wanted.end else [])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
