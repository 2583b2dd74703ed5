"""The columns of UsageEvents: where each stands in an AppEvents row, and its type in KQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

KqlType = Literal["string", "long", "real"]


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column.

    key: what events and our rows call it. stored: its name in Properties (string) or Measurements
    (long, real) of AppEvents.
    """

    name: str
    key: str
    type: KqlType
    stored: str


_SHORT: Mapping[str, str] = {
    "team_id": "team",
    "agent_id": "agent",
    "agent_type": "type",
    "mission_id": "mission",
    "conversation_id": "conversation",
    "environment": "env",
    "response_model": "answered_by",
    "response_id": "response",
    "service_tier": "tier",
    "cost_status": "cost",
    "cost_source": "price",
    "cost_missing": "missing",
    "duration_s": "s",
    "amount_usd": "amount",
    "cost_usd": "usd",
    "input_tokens": "in",
    "output_tokens": "out",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h",
    "reasoning_tokens": "reasoning",
    "audio_input_tokens": "audio_in",
    "audio_output_tokens": "audio_out",
    "web_searches": "searches",
}
"""Names that nearly every row repeats, and Azure bills each time (decision 0015)."""


def _column(key: str, kql_type: KqlType, name: str = "") -> Column:
    """Name the column after the key unless told otherwise: cost_usd becomes CostUsd."""
    named = name or "".join(part.capitalize() for part in key.split("_"))
    return Column(named, key, kql_type, _SHORT.get(key, key))


TEXT = (
    _column("id", "string", "EventId"),
    *(
        _column(key, "string")
        for key in (
            "source",
            "subject",
            "occurred_at",
            "team_id",
            "agent_id",
            "agent_type",
            "mission_id",
            "conversation_id",
            "environment",
            "tenant",
            "method",
            "path",
            "status",
            "operation",
            "priority",
            "provider",
            "model",
            "response_model",
            "response_id",
            "deployment",
            "service_tier",
            "cost_status",
            "cost_source",
            "cost_missing",
            "doubts",
            "adjusts",
            "old_cost_status",
            "old_cost_usd",
            "new_cost_usd",
            "reason",
            "who",
            "state",
            "result",
            "cache_type",
            "component",
            "error_type",
            "message",
            "recovery_type",
            "outcome",
            "error",
            "pricing_tier",
        )
    ),
)
NUMBERS = (
    *(_column(key, "long") for key in ("count", "team_size", "adjusted_count", "revision")),
    *(
        _column(key, "real")
        for key in ("duration_s", "value", "amount_usd", "cost_usd", "stated_cost_usd")
    ),
    *(
        _column(key, "long")
        for key in (
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cache_write_1h_tokens",
            "reasoning_tokens",
            "audio_input_tokens",
            "audio_output_tokens",
            "web_searches",
        )
    ),
)
COLUMNS = TEXT + NUMBERS
_STORED: Mapping[str, str] = {column.key: column.stored for column in COLUMNS}
ATTEMPT = "attempt"
"""The measurement that only rows of a repeated delivery carry; what UsageEvents dedups by."""
ADJUSTMENT = "cost.adjustment"
"""The Name of a row that corrects the cost of an earlier one: its CostUsd is new minus old, its
Count is 0, and AdjustedCount calls go from OldCostStatus to CostStatus."""


def properties(text: Mapping[str, str]) -> dict[str, str]:
    """Return a row's texts as they are stored; a price that repeats the model names it once."""
    row = {_STORED.get(key, key): value for key, value in text.items()}
    if "price" in row:
        row["price"] = row["price"].removeprefix(f"{row.get('provider')}/{row.get('model')}; ")
    return row


def measurements(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return a row's numbers as they are stored; UsageEvents knows that no count means one."""
    return {_STORED.get(k, k): v for k, v in numbers.items() if (k, v) != ("count", 1)}
