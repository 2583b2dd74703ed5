"""Reads the JSON values of an envelope, refusing what the service refuses."""

import json
import math
import re
from collections.abc import Mapping
from typing import cast

Json = Mapping[str, object]

_DURATION = re.compile(r"(-?)(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)")


class BadItem(ValueError):
    """The service refuses this item, in these words."""


def mapping(value: object, name: str) -> Json:
    """Return a JSON object, an empty one where it is missing.

    Raises:
        BadItem: it is something else; `name` says which field.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadItem(f"Field '{name}' is not a JSON object")
    return cast("Json", value)


def as_text(value: object) -> str:
    """Return text as it is, and all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def finite(value: object, name: str) -> float:
    """Return the number as it was given; an int keeps all its digits.

    Raises:
        BadItem: it is no number, or not a finite one; `name` says which field.
    """
    if type(value) not in (int, float) or not _is_finite(cast("float", value)):
        raise BadItem(f"Field '{name}' is not a finite number")
    return cast("float", value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def dump(value: object) -> str:
    """Return JSON text without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def duration_ms(text: str) -> float | None:
    """Read `[d.]hh:mm:ss.fff`; None for what is no duration."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    sign, days, hours, minutes, seconds = found.groups()
    total_s = int(days or 0) * 86_400 + int(hours) * 3_600 + int(minutes) * 60 + float(seconds)
    return round(total_s * 1000 * (-1 if sign else 1), 4)
