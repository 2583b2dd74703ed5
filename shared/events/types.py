"""The kinds of event that an agent may send, and what each may say."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from shared.moments import Moment
from shared.units import MAX_COUNT, Count, Usage

Name = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Text = Annotated[str, StringConstraints(max_length=8192)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Doubt = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
Amount = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Usd = Annotated[
    Decimal,
    Field(ge=0, le=Decimal(10) ** 12, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1e12},
                {"type": "string", "pattern": r"^\d{1,12}(\.\d{1,20})?$"},
            ]
        }
    ),
]


def _status_text(value: object) -> object:
    """HTTP statuses come as 200 and as "200"; both mean the same."""
    return str(value) if type(value) is int else value


StatusCode = Annotated[Name, BeforeValidator(_status_text, json_schema_input_type=Name | int)]


class Common(BaseModel, frozen=True, extra="forbid"):
    """What every kind of event may say about who caused it, and how often."""

    team_id: Name | None = None
    agent_id: Name | None = None
    mission_id: Name | None = None
    conversation_id: Name | None = None
    user_id: Name | None = None
    environment: Name | None = None
    tenant: Name | None = None
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 1
    """The event stands for so many: tokens and money are totals, duration_s is of each."""


class Data(Common, frozen=True):
    """The same, for the kinds that are not about an agent, yet may name its type."""

    agent_type: Name | None = None


class HttpRequest(Data, frozen=True):
    """One request that a service of the fleet answered."""

    method: Name
    path: Name
    status: StatusCode
    duration_s: Seconds


class AgentOperation(Common, frozen=True):
    """One piece of work that an agent ended."""

    agent_type: Name
    operation: Name
    status: Name
    duration_s: Seconds


class TeamActive(Data, frozen=True):
    """How many teams are in this status now."""

    status: Name
    value: Amount


class AgentActive(Common, frozen=True):
    """How many agents of this type are at work now."""

    agent_type: Name
    value: Amount


class TaskOperation(Data, frozen=True):
    """One step in the life of a task: created, assigned, ended."""

    operation: Name
    status: Name
    call_id: Name | None = None
    """Of a tool's work: the id by which the model asked for it; it counts once."""


class TaskQueue(Data, frozen=True):
    """How many tasks of this priority wait now."""

    priority: Name
    value: Amount


class LlmCall(Data, frozen=True):
    """One call of a language model, as the provider answered it."""

    provider: Name
    model: Name
    status: Name
    duration_s: Seconds | None = None
    usage: Usage | None = None
    response_id: Name | None = None
    response_model: Name | None = None
    deployment: Name | None = None
    service_tier: Name | None = None
    operation: Name | None = None
    error_type: Name | None = None
    cost_usd: Usd | None = None
    doubts: Annotated[tuple[Doubt, ...], Field(max_length=16)] = ()
    """Names of what the sender stated and may be wrong: the cost is then estimated, not known."""


class DbQuery(Data, frozen=True):
    """One database query."""

    operation: Name
    status: Name
    duration_s: Seconds


class DbPool(Data, frozen=True):
    """How many connections of the pool are in this state now."""

    state: Name
    value: Amount


class CacheOperation(Data, frozen=True):
    """One cache look-up."""

    operation: Name
    result: Name


class CacheRatio(Data, frozen=True):
    """The share of hits of a cache now, 0 to 1."""

    cache_type: Name
    value: Amount


class ErrorRaised(Data, frozen=True):
    """One error of a component; its text is kept in the row and is never a label."""

    component: Name
    error_type: Name
    message: Text | None = None


class ErrorRecovery(Data, frozen=True):
    """One attempt to recover from an error."""

    recovery_type: Name
    result: Name


class MissionCompleted(Data, frozen=True):
    """A mission has ended, well or badly."""

    outcome: Name
    duration_s: Seconds | None = None
    team_size: Count | None = None
    error: Text | None = None


class Revenue(Data, frozen=True):
    """Money that came in."""

    pricing_tier: Name
    amount_usd: Usd


Kind = TypeVar("Kind", bound=str, covariant=True)
Body = TypeVar("Body", bound=Common, covariant=True)


class Event(BaseModel, Generic[Kind, Body], frozen=True):
    """One CloudEvent of ours: `id` and `source` together are its identity.

    Extension attributes are let pass and not kept, as CloudEvents asks of a receiver.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    type: Kind
    time: Moment
    subject: Name | None = None
    traceparent: Annotated[str, StringConstraints(max_length=55)] | None = None
    data: Body


AgentEvent = Annotated[
    Event[Literal["http.request"], HttpRequest]
    | Event[Literal["agent.operation"], AgentOperation]
    | Event[Literal["team.active"], TeamActive]
    | Event[Literal["agent.active"], AgentActive]
    | Event[Literal["task.operation"], TaskOperation]
    | Event[Literal["task.queue"], TaskQueue]
    | Event[Literal["llm.call"], LlmCall]
    | Event[Literal["db.query"], DbQuery]
    | Event[Literal["db.pool"], DbPool]
    | Event[Literal["cache.operation"], CacheOperation]
    | Event[Literal["cache.ratio"], CacheRatio]
    | Event[Literal["error"], ErrorRaised]
    | Event[Literal["error.recovery"], ErrorRecovery]
    | Event[Literal["mission.completed"], MissionCompleted]
    | Event[Literal["revenue"], Revenue],
    Field(discriminator="type"),
]

KINDS: Mapping[str, type[Common]] = {
    get_args(kind)[0]: data
    for member in get_args(get_args(AgentEvent)[0])
    for kind, data in [member.__pydantic_generic_metadata__["args"]]
}
"""Name of a kind → what it may say, in the order of the union."""

AnyEvent = Event[str, Common]
"""Any of the above where the code does not care which."""
