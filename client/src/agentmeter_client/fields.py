"""Reads fields of objects and of dicts alike, without knowing their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast


def field(thing: object, *names: str) -> object:
    """Return the first of these fields that is there and not None."""
    if isinstance(thing, Mapping):
        fields = cast("Mapping[str, object]", thing)
        found = (fields.get(name) for name in names)
    else:
        found = (getattr(thing, name, None) for name in names)
    return next((value for value in found if value is not None), None)


def number(thing: object, *names: str) -> int | None:
    """Return the first of these fields if it is a count."""
    value = field(thing, *names)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < float("inf") else None


def text(thing: object, *names: str) -> str | None:
    """Return the first of these fields if it is text; an enumeration gives its value."""
    value = field(thing, *names)
    value = getattr(value, "value", value)
    return value if isinstance(value, str) and value else None


def items(thing: object, name: str) -> Sequence[object]:
    """Return the list in this field, an empty one where there is none."""
    value = field(thing, name)
    return cast("Sequence[object]", value) if isinstance(value, (list, tuple)) else ()
