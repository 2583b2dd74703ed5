"""Fills the placeholders of a rule's summary and description."""

import re
from collections import ChainMap, defaultdict
from collections.abc import Mapping
from string import Formatter

Holes = Mapping[str, object]


def fill(template: str, labels: Mapping[str, str], value: float | None) -> str:
    """Put {value} and the labels into the text; a bad placeholder must not hold up a page."""
    holes = {**labels, "value": float("nan") if value is None else value}
    filled = _filled(template, holes)
    return f"{template} (a placeholder is unknown)" if filled is None else filled


def is_fillable(template: str) -> bool:
    """Return whether the text can be filled with any labels."""
    any_label = defaultdict[str, object](str)
    return _filled(template, ChainMap[str, object]({"value": 1.0}, any_label)) is not None


def placeholders(template: str) -> set[str]:
    """Return the names between braces."""
    parts = (name for _, name, _, _ in Formatter().parse(template) if name)
    return {re.split(r"[.\[]", name)[0] for name in parts}


def _filled(template: str, holes: Holes) -> str | None:
    """Return the text with its placeholders filled, or None where one is bad."""
    try:
        return template.format_map(holes)
    except (LookupError, ValueError, TypeError, AttributeError):
        return None
