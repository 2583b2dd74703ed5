"""One span of OpenTelemetry as it arrived, and how its attributes are read."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Scalar = str | bool | int | float
Attributes = Mapping[str, Scalar]
"""Lists and maps are JSON text, as Azure Monitor keeps them; bytes are left out."""
Kind = Literal["internal", "client", "other"]
_THRESHOLD = re.compile(r"(?:^|,)\s*ot=(?:[^,;]*;)*th:(?!0+(?:[;,\s]|$))[0-9a-f]+")
MAX_CHARS = 1024
"""Of a name; longer ones are cut, as no event takes them."""


@dataclass(frozen=True, slots=True)
class Span:
    """What an exporter sent about one operation.

    trace_id: 32 hex digits. span_id: 16. parent_id: 16, or "" for a root.
    start_ns, end_ns: since 1970; 0 where the sender did not say.
    message: what the sender wrote about a failure. exception: the type of the last one recorded.
    trace_state: of W3C, as it was sent. is_log: a log record reports it, in the span parent_id.
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
    trace_state: str = ""
    is_log: bool = False

    @property
    def is_sampled(self) -> bool:
        """Return whether its sender drops other traces: tracestate names a threshold above 0."""
        return bool(self.trace_state and _THRESHOLD.search(self.trace_state))

    @property
    def key(self) -> tuple[str, str]:
        """Name the span among others."""
        return self.trace_id, self.span_id

    def text(self, *names: str) -> str | None:
        """Return the first of the attributes that says something, as text."""
        return text_in(self.attributes, *names)

    def number(self, *names: str) -> float | None:
        """Return the first of the attributes that holds a finite number, be it as text."""
        return number_in(self.attributes, *names)


def number_in(attributes: Attributes, *names: str) -> float | None:
    """Return the first of the attributes that holds a finite number, be it as text."""
    for name in names:
        if (value := _number(attributes.get(name))) is not None:
            return value
    return None


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
