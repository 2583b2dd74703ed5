"""Splits queue messages without reading their events, to isolate the one that is wrong."""

import base64
import gzip
import zlib
from collections.abc import Iterator, Mapping
from typing import cast

from pydantic_core import from_json, to_json

Whole = Mapping[str, object]
_Identity = tuple[str, str]


def halves(text: str, deliveries: int = 0) -> tuple[str, ...]:
    """Return two messages that together hold what this one holds; () if it cannot be split.

    deliveries: how often the message was handed over. What has one identity stays together, since
    it is counted once. Each half is counted by itself, unless the whole was counted before.
    """
    whole = _read(text)
    groups = list(_groups(whole).values()) if whole else []
    if whole is None or len(groups) < 2:
        return ()
    middle = len(groups) // 2
    first = _part(whole, groups[:middle], "0", deliveries)
    untold = {name: value for name, value in whole.items() if name not in ("refused", "otlp")}
    second = _part(untold, groups[middle:], "1", deliveries)
    return _write(first), _write(second)


def singles(text: str) -> tuple[str, ...]:
    """Return a message for each identity that this one holds; itself where that is one."""
    return tuple(_singles(text))


def contents(text: str) -> tuple[Whole, ...]:
    """Return the events and spans that the message holds as JSON values, a tuple for none of ours.

    Their order is that of singles().
    """
    groups = _groups(_read(text) or {}).values()
    return tuple(cast("Whole", (group["events"] or group["spans"])[0]) for group in groups)


def with_note(text: str, note: str) -> str:
    """Return the message with the reason why it was set aside; unchanged if it cannot be read."""
    whole = _read(text)
    return text if whole is None else _write({**whole, "note": note})


def _singles(text: str) -> Iterator[str]:
    parts = halves(text)
    for part in parts:
        yield from _singles(part)
    if not parts:
        yield text


def _read(text: str) -> Whole | None:
    """Return the message as JSON values; None if it is none of ours, or of another version."""
    try:
        whole: object = from_json(gzip.decompress(base64.b64decode(text, validate=True)))
    except (OSError, EOFError, zlib.error, ValueError):
        return None
    if not isinstance(whole, dict):
        return None
    stated = cast("Whole", whole)
    return stated if stated.get("v", 1) == 1 and isinstance(stated.get("batch"), str) else None


def _write(whole: Whole) -> str:
    return base64.b64encode(gzip.compress(to_json(whole), 5, mtime=0)).decode("ascii")


def _groups(whole: Whole) -> Mapping[_Identity, dict[str, list[object]]]:
    """Return the events and spans by their identities, in their order."""
    groups: dict[_Identity, dict[str, list[object]]] = {}
    for kind in ("events", "spans"):
        for item in cast("list[object]", whole.get(kind) or []):
            identity = _identity(item)
            groups.setdefault(identity, {"events": [], "spans": []})[kind].append(item)
    return groups


def _identity(item: object) -> _Identity:
    if not isinstance(item, dict):
        return "", ""
    stated = cast("Whole", item)
    return str(stated.get("source")), str(stated.get("id"))


def _part(
    whole: Whole, groups: list[dict[str, list[object]]], bit: str, deliveries: int
) -> dict[str, object]:
    """Return the message with only these groups, and a batch of its own below the whole's."""
    root, _, path = str(whole["batch"]).partition(".")
    held = {kind: [item for group in groups for item in group[kind]] for kind in groups[0]}
    attempts = cast("int", whole.get("attempts", 0)) + deliveries
    return {**whole, **held, "batch": f"{root}.{path}{bit}", "attempts": attempts, "note": ""}
