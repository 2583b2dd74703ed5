"""Reads fields of objects and of dicts alike, without knowing their classes.

A look-up is made once for each object, because it is on the way of every model call: a field that
is absent from a pydantic model takes microseconds to miss by attribute, and none by its dict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

Look = Callable[[str], Any]
"""Takes a field's name, returns its value, or None where there is none."""

_NOTHING: Mapping[str, object] = {}


def look(thing: object) -> Look:
    """Return the look-up of a dict's, a mapping's or an object's fields."""
    if thing is None:
        return _NOTHING.get
    if isinstance(thing, dict):
        return cast("dict[str, object]", thing).get
    if hasattr(type(thing), "__pydantic_extra__"):
        model = cast("Any", thing)
        extra = model.__pydantic_extra__
        return {**model.__dict__, **extra}.get if extra else model.__dict__.get
    if isinstance(thing, Mapping):
        return cast("Mapping[str, object]", thing).get
    return partial(_attribute, thing)


def number(get: Look, *names: str) -> int | None:
    """Return the first of these fields that is there, if it is a count."""
    for name in names:
        value = get(name)
        if type(value) is int and value >= 0:
            return value
        if value is not None:
            return _whole(value)
    return None


def text(get: Look, *names: str) -> str | None:
    """Return the first of these fields that is there, if it is text or an enumeration's."""
    for name in names:
        value = get(name)
        if value is not None:
            value = getattr(value, "value", value) if type(value) is not str else value
            return value if isinstance(value, str) and value else None
    return None


def items(get: Look, name: str) -> Sequence[object]:
    """Return the list in this field, an empty one where there is none."""
    value = get(name)
    return cast("Sequence[object]", value) if isinstance(value, (list, tuple)) else ()


def _attribute(thing: object, name: str) -> object:
    """Return the attribute, None where there is none."""
    return getattr(thing, name, None)


def _whole(value: object) -> int | None:
    """Return a count that came as another number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < float("inf") else None
