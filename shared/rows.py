"""The rows that go to Azure Monitor, and what becomes of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.metrics.points import Labels

BEAT_ROW = "agentmeter.heartbeat"
"""The Name of the row that each minute's heartbeat leaves in AppEvents; it has no `id`, so that it
is none of UsageEvents."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of AppEvents.

    name: the event's type. text: Properties. numbers: Measurements, all finite.
    operation_id: 32 hex digits or ""; parent_id: 16 hex digits or "".
    """

    name: str
    time: datetime
    text: Mapping[str, str]
    numbers: Mapping[str, float]
    operation_id: str = ""
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One row of AppMetrics: a metric's points of one minute, summed.

    count: how many observations (for a counter or gauge: 1). low, high: None unless a histogram,
    of which no observation was below or above them.
    """

    name: str
    time: datetime
    labels: Labels
    total: float
    count: int = 1
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One row of AppDependencies.

    time: when it began. trace_id: 32 hex digits. span_id: 16. parent_id: 16, or "" for a root.
    role: the service that sent it. client: it called another. text: Properties; `gen_ai.system`
    among them makes it a row of the type `GenAI | …`.
    url: of a call over HTTP, whose name is then its method and path; result: its status, "" where
    no answer came.
    """

    name: str
    time: datetime
    duration: timedelta
    text: Mapping[str, str]
    trace_id: str
    span_id: str
    parent_id: str = ""
    role: str = ""
    client: bool = False
    failed: bool = False
    url: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One row of AppExceptions. stack: the frames. text: Properties. Ids as SpanRow's."""

    type: str
    message: str
    stack: str
    time: datetime
    text: Mapping[str, str]
    trace_id: str
    parent_id: str


INGESTION = "POST /v2.1/track"
"""What calls of Azure Monitor's ingestion are named."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Azure Monitor has the item."""


@dataclass(frozen=True, slots=True)
class ExportLater:
    """Azure Monitor does not have it, or we do not know; send it again."""

    why: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ExportRefused:
    """Azure Monitor will never take it."""

    status: int
    why: str


ExportOutcome = Exported | ExportLater | ExportRefused
