"""One span of OpenTelemetry as it arrived, and how its attributes are read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from pydantic_core import from_json

Scalar = str | bool | int | float
Attributes = Mapping[str, Scalar]
"""Lists and maps are JSON text, as Azure Monitor keeps them; bytes are left out."""
Kind = Literal["internal", "client", "other"]
MAX_CHARS = 1024
"""Of a name; longer ones are cut, as no event takes them."""


@dataclass(frozen=True, slots=True)
class Span:
    """What an exporter sent about one operation.

    trace_id: 32 hex digits. span_id: 16. parent_id: 16, or "" for a root.
    start_ns, end_ns: since 1970; 0 where the sender did not say.
    message: what the sender wrote about a failure. exception: the type of the last one recorded.
    """

    trace_id: str
    span_id: str
    parent_id: str = ""
    name: str = ""
    kind: Kind = "internal"
    start_ns: int = 0
    end_ns: int = 0
    attributes: Attributes = field(default_factory=dict[str, Scalar])
    resource: Attributes = field(default_factory=dict[str, Scalar])
    scope: str = ""
    failed: bool = False
    message: str = ""
    exception: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Name the span among others."""
        return self.trace_id, self.span_id

    @property
    def parent_key(self) -> tuple[str, str]:
        """Name the span above it."""
        return self.trace_id, self.parent_id

    def text(self, *names: str) -> str | None:
        """Return the first of the attributes that says something, as text."""
        return text_in(self.attributes, *names)

    def number(self, *names: str) -> float | None:
        """Return the first of the attributes that holds a finite number, be it as text."""
        for name in names:
            value = _number(self.attributes.get(name))
            if value is not None:
                return value
        return None

    def stated(self, attribute: str, name: str) -> str | None:
        """Return a text field of an attribute that holds a JSON object."""
        text = self.attributes.get(attribute)
        if not isinstance(text, str) or not text.startswith("{"):
            return None
        try:
            whole = cast("dict[str, object]", from_json(text))
        except ValueError:  # cut off by a limit of the sender's
            return None
        value = whole.get(name)
        return value[:MAX_CHARS] if isinstance(value, str) and value else None


def text_in(attributes: Attributes, *names: str) -> str | None:
    """Return the first of the attributes that says something, as text of bounded length."""
    for name in names:
        if (value := attributes.get(name)) is not None and (said := str(value).strip()):
            return said[:MAX_CHARS]
    return None


def _number(value: Scalar | None) -> float | None:
    try:
        found = None if value is None or isinstance(value, bool) else float(value)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and math.isfinite(found) else None
