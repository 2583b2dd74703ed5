"""The description of one function in the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.openapi.answers import Failure

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Body:
    """What a body may hold. shape: a type that pydantic knows. examples: by a name for people."""

    shape: object
    examples: Mapping[str, Any] = field(default_factory=dict[str, Any])


Bodies = Mapping[str, Body]
"""Media type → what it holds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. headers: name → what it says."""

    text: str
    bodies: Bodies = field(default_factory=dict[str, Body])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query, or a header."""

    name: str
    text: str
    shape: object = str
    where: str = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """One function. What follows from its trigger is not repeated: path, method, keys and their
    answers."""

    tag: str
    summary: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    bodies: Bodies = field(default_factory=dict[str, Body])
    is_body_required: bool = True


def json(text: str, shape: object, example: object = None) -> Answer:
    """Return an answer in JSON."""
    return Answer(text, {JSON: Body(shape, {} if example is None else {"example": example})})


REFUSALS: Mapping[int, str] = {
    400: "What was sent is wrong.",
    404: "There is nothing by that name.",
    411: "The body came in chunks, and HTTP_PROXYING is off; send it whole, with a Content-Length.",
    413: "Too large; split it.",
    415: "A content type or encoding that is not read.",
    429: "This key has had its share of the minute (RATE_LIMIT_REQUESTS, RATE_LIMIT_EVENTS).",
    500: "What was stored cannot be read, or an unforeseen failure.",
    503: "Nothing was done; try again later.",
}
RETRY_AFTER = {"Retry-After": "Seconds to wait before a repeat"}


def refusals(
    *statuses: int, shape: object = Failure, media: tuple[str, ...] = (JSON,)
) -> Mapping[int, Answer]:
    """Return the answers of these statuses, each with its usual text."""
    bodies = {name: Body(bytes if "protobuf" in name else shape) for name in media}
    return {
        status: Answer(REFUSALS[status], bodies, RETRY_AFTER if status in (429, 503) else {})
        for status in statuses
    }
