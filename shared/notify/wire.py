"""Writes what is sent to receivers: JSON, titles and links that each of them can read."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from shared.alerting.page import Page

CUT = " … (cut)"


def as_json(said: object) -> bytes:
    """Write strict JSON in UTF-8: infinity as text, moments in ISO, no half characters."""
    return json.dumps(_plain(said), ensure_ascii=False).encode("utf-8", "replace")


def _plain(item: object) -> object:
    """Return the item made of what JSON has."""
    if isinstance(item, float) and not math.isfinite(item):
        return str(item)
    if item is None or isinstance(item, str | int | float | bool):
        return item
    if isinstance(item, Mapping):
        pairs = cast("Mapping[object, object]", item).items()
        return {str(name): _plain(value) for name, value in pairs}
    if isinstance(item, Iterable):
        return [_plain(value) for value in cast("Iterable[object]", item)]
    return item.isoformat() if isinstance(item, datetime) else str(item)


def title(page: Page, most: int) -> str:
    """Return the page's summary as one line of at most so many characters, never empty."""
    line = " ".join("".join(c if c.isprintable() else " " for c in page.summary).split())
    line = line or f"{page.action} of {page.rule}"
    return line if len(line) <= most else line[: most - len(CUT)] + CUT


def is_link(text: object) -> bool:
    """Return whether the text is an address that a browser opens."""
    if not isinstance(text, str) or any(not c.isprintable() or c.isspace() for c in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
