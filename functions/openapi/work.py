"""The shapes of what agents did."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from functions.openapi.answers import Shape
from functions.openapi.costs import Bounds


class Step(BaseModel, extra="allow"):
    """A span, or an event, with those that name it as their parent; what it has not is left out."""

    at: AwareDatetime
    type: str
    steps: "list[Step]"


class Row(Shape):
    """One of a list. errors: model calls that failed. agents: how many took part."""

    id: str
    team: str | None
    agents: int
    start: AwareDatetime = Field(alias="from")
    duration_s: float
    calls: int
    cost_usd: float | None
    unpriced_calls: int
    input_tokens: int | None
    output_tokens: int | None
    errors: int


class WorkList(Bounds):
    """The dearest. count: how many there are in all."""

    kind: Literal["trace", "mission", "conversation"]
    rows: list[Row]
    count: int
    next: int | None


class Work(Shape):
    """What was done, and what it comes to. listed: how many of the events are among the steps."""

    kind: Literal["trace", "mission", "conversation"]
    id: str
    start: AwareDatetime = Field(alias="from")
    duration_s: float
    events: int
    calls: int
    cost_usd: float | None
    unpriced_calls: int
    input_tokens: int
    output_tokens: int
    errors: int
    listed: int
    steps: list[Step]
