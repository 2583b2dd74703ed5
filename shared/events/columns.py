"""The columns of UsageEvents: where each stands in an AppEvents row, and its type in KQL."""

from dataclasses import dataclass
from typing import Literal

KqlType = Literal["string", "long", "real"]


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column. key: its name in Properties (string) or Measurements (long, real)."""

    name: str
    key: str
    type: KqlType


def _column(key: str, kql_type: KqlType, name: str = "") -> Column:
    """Name the column after the key unless told otherwise: cost_usd becomes CostUsd."""
    return Column(name or "".join(part.capitalize() for part in key.split("_")), key, kql_type)


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
    *(_column(key, "real") for key in ("duration_s", "value", "amount_usd", "cost_usd")),
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
ATTEMPT = "attempt"
"""The measurement that only rows of a repeated delivery carry; what UsageEvents dedups by."""
ADJUSTMENT = "cost.adjustment"
"""The Name of a row that corrects the cost of an earlier one: its CostUsd is new minus old, its
Count is 0, and AdjustedCount calls go from OldCostStatus to CostStatus."""
