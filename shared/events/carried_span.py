"""A span on its way through the queue, to be written beside the event that it reports."""

import re
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

SDK_OWN = re.compile(
    r"(http|db|message|messaging|rpc|enduser|net|peer|exception|thread|fass|code|url|server|client"
    r"|network|user_agent|az|ai|_MS|microsoft\.custom\w*)\.|microsoft\.custom|session\.id|error\.type"
)
"""Attributes that Azure Monitor's SDK takes for its own, and drops, or makes another row of."""
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class CarriedSpan(BaseModel, frozen=True, extra="forbid"):
    """A GenAI span, without what was not asked for.

    source, id: the identity of its event, where it has one; its own otherwise.
    parent_id: "" for a root. start_ns: since 1970. role: what AppRoleName shows.
    client: it called a service; it is the sender's own work otherwise.
    """

    source: str
    id: str
    trace_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    span_id: Id
    parent_id: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{16})?$")] = ""
    name: str
    role: str
    client: bool = False
    start_ns: Annotated[int, Field(ge=0)]
    duration_ns: Annotated[int, Field(ge=0)] = 0
    failed: bool = False
    attributes: dict[str, str | bool | int | float] = {}

    @property
    def key(self) -> str:
        """Return the claim key of the span: `s:` and 32 hex digits."""
        return f"s:{self.span_id}{self.trace_id[16:]}"
