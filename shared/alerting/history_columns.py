"""The columns of AlertHistory: where each stands in an AppEvents row, and its type in KQL."""

from collections.abc import Mapping, Sequence
from typing import get_args

from shared.alerting.history import StepKind
from shared.events.columns import Column, KqlType

NAMES: Mapping[StepKind, str] = {kind: f"alert.{kind}" for kind in get_args(StepKind)}
"""Kind of a step → the Name of its row."""

ROW_ID = "row_id"
"""The property that names the step; of rows with the same one AlertHistory shows the latest."""


def _columns(kql_type: KqlType, *keys: str) -> Sequence[Column]:
    return [
        Column("".join(part.capitalize() for part in key.split("_")), key, kql_type, key)
        for key in keys
    ]


TEXT = (
    *_columns("string", ROW_ID, "alert", "severity", "alert_id", "series", "state", "reason"),
    *_columns("string", "episode", "look", "evidence_query", "page_id", "dedup_key", "action"),
    *_columns("string", "receiver", "status", "note", "said_by", "occurred_at"),
)
NUMBERS = (
    *_columns("real", "value", "threshold", "samples", "detection_delay_s", "notify_delay_s"),
    *_columns("real", "time_to_resolve_s", "flap", "attempts"),
)
COLUMNS = TEXT + NUMBERS
