"""Every metric that agentmeter keeps: one row each, with its labels, unit and buckets."""

from collections.abc import Mapping
from typing import Any

from shared.events import types
from shared.metrics import own
from shared.metrics.alerts import ALERTS
from shared.metrics.metric import Amounts, Kind, Metric
from shared.pricing.cost import Cost
from shared.units import MILLION, RATES, UNITS


def _labels(data: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """Read label values off the event data; what was not sent is empty."""
    values: Mapping[str, object] = data.__dict__
    return tuple(["" if values[n] is None else str(values[n]) for n in names])


def _row(
    name: str, kind: Kind, of: type[types.Common], labels: tuple[str, ...], help_text: str
) -> Metric:
    """Make a row whose labels are fields of the event and whose amount follows from its kind."""
    field = {"counter": "count", "gauge": "value", "histogram": "duration_s"}[kind]

    def read(data: Any, cost: Cost | None) -> Amounts:
        amount = getattr(data, field)
        if amount is not None:
            yield _labels(data, labels), amount

    unit = "seconds" if kind == "histogram" else ""
    return Metric(name, kind, help_text, labels, of, read, unit, BUCKETS.get(name, ()))


def _tokens(data: types.LlmCall, cost: Cost | None) -> Amounts:
    """Yield the totals, then those parts of them that occur."""
    if data.usage is None:
        return
    for field, label in TOKEN_TOTALS.items():
        yield (data.provider, data.model, label), getattr(data.usage, field)
    for field, label in TOKEN_PARTS.items():
        if amount := getattr(data.usage, field):
            yield (data.provider, data.model, label), amount


def _cost(data: types.LlmCall, cost: Cost | None) -> Amounts:
    """Yield the cost unless it is unknown: an unknown price is never shown as zero."""
    if cost is not None and cost.usd is not None:
        yield (data.provider, data.model), cost.usd


def _cost_status(data: types.LlmCall, cost: Cost | None) -> Amounts:
    """Yield how sure the price of the calls was."""
    if cost is not None:
        yield (data.provider, data.model, cost.status), data.count


def _unpriced(data: types.LlmCall, cost: Cost | None) -> Amounts:
    """Yield the calls without a known price."""
    if cost is not None and cost.status == "unknown":
        yield (), data.count


def _revenue(data: types.Revenue, cost: Cost | None) -> Amounts:
    """Yield the money that came in."""
    yield (data.pricing_tier,), data.amount_usd


_TOKENS = {field: unit for field, unit in UNITS.items() if unit.per == MILLION}
TOKEN_TOTALS = {field: unit.rate for field, unit in _TOKENS.items() if not unit.part_of}
TOKEN_PARTS = {
    field: unit.rate
    for field, unit in _TOKENS.items()
    if unit.part_of and not RATES[unit.part_of].part_of
}
"""Field of Usage → token_type. A part of a part has none: its whole stands for it."""
BUCKETS = {
    "http_request_duration_seconds": (
        *(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
        *(0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    "agent_execution_duration_seconds": (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
    "llm_api_duration_seconds": (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0),
    "db_query_duration_seconds": (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    "mission_duration_seconds": (60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0),
}
_MODEL = ("provider", "model")
_T = types

FLEET = (
    _row(
        *("http_requests_total", "counter", _T.HttpRequest, ("method", "path", "status")),
        "HTTP requests by method, path and status.",
    ),
    _row(
        *("http_request_duration_seconds", "histogram", _T.HttpRequest, ("method", "path")),
        "HTTP request latency in seconds.",
    ),
    _row(
        *("agent_operations_total", "counter", _T.AgentOperation),
        ("agent_type", "operation", "status"),
        "Agent operations by type, operation and status.",
    ),
    _row(
        *("agent_execution_duration_seconds", "histogram", _T.AgentOperation),
        ("agent_type", "operation"),
        "Agent execution time in seconds.",
    ),
    _row(
        *("active_teams_total", "gauge", _T.TeamActive, ("status",)),
        "Active teams by status.",
    ),
    _row(
        *("active_agents_total", "gauge", _T.AgentActive, ("agent_type",)),
        "Active agents by type.",
    ),
    _row(
        *("task_operations_total", "counter", _T.TaskOperation, ("operation", "status")),
        "Task operations by operation and status.",
    ),
    _row(
        *("task_queue_size", "gauge", _T.TaskQueue, ("priority",)),
        "Tasks that wait, by priority.",
    ),
    _row(
        *("llm_api_calls_total", "counter", _T.LlmCall, (*_MODEL, "status")),
        "Model calls by provider, model and status.",
    ),
    _row(
        *("llm_api_duration_seconds", "histogram", _T.LlmCall, _MODEL),
        "Model call duration in seconds.",
    ),
    Metric(
        *("llm_tokens_used_total", "counter"),
        "Tokens by provider, model and type; input and output are totals, other types their parts.",
        *((*_MODEL, "token_type"), _T.LlmCall, _tokens, "tokens"),
    ),
    Metric(
        *("llm_cost_usd_total", "counter", "Cost of model calls in US dollars."),
        *(_MODEL, _T.LlmCall, _cost, "usd"),
    ),
    _row(
        *("db_queries_total", "counter", _T.DbQuery, ("operation", "status")),
        "Database queries by operation and status.",
    ),
    _row(
        *("db_query_duration_seconds", "histogram", _T.DbQuery, ("operation",)),
        "Database query duration in seconds.",
    ),
    _row(
        *("db_pool_connections", "gauge", _T.DbPool, ("state",)),
        "Database connections by state.",
    ),
    _row(
        *("cache_operations_total", "counter", _T.CacheOperation, ("operation", "result")),
        "Cache operations by operation and result.",
    ),
    _row(
        *("cache_hit_ratio", "gauge", _T.CacheRatio, ("cache_type",)),
        "Share of cache hits by cache, 0 to 1.",
    ),
    _row(
        *("errors_total", "counter", _T.ErrorRaised, ("component", "error_type")),
        "Errors by component and type.",
    ),
    _row(
        *("error_recovery_operations_total", "counter", _T.ErrorRecovery),
        ("recovery_type", "result"),
        "Attempts to recover from errors, by type and result.",
    ),
    _row(
        *("missions_completed_total", "counter", _T.MissionCompleted, ("outcome",)),
        "Missions that ended, by outcome.",
    ),
    _row(
        *("mission_duration_seconds", "histogram", _T.MissionCompleted, ("team_size",)),
        "Mission duration in seconds, by team size.",
    ),
    Metric(
        *("revenue_usd_total", "counter", "Revenue in US dollars by pricing tier."),
        *(("pricing_tier",), _T.Revenue, _revenue, "usd"),
    ),
)

_PRICED = (
    Metric(
        *("agentmeter_calls_unpriced_total", "counter"),
        "Model calls without a price; GET /api/costs lists their models.",
        *((), _T.LlmCall, _unpriced),
    ),
    Metric(
        *("agentmeter_priced_calls_total", "counter"),
        "Model calls by how sure their price is; status unknown wants a price.",
        *((*_MODEL, "cost_status"), _T.LlmCall, _cost_status),
    ),
)
CORRECTED = {
    metric.name: Metric(
        f"agentmeter_corrected_{metric.name.removeprefix('agentmeter_')}",
        "counter",
        f"What a better report of calls took away again from {metric.name}: subtract it.",
        metric.labels,
        unit=metric.unit,
    )
    for metric in (*FLEET, *_PRICED)
    if metric.of is _T.LlmCall and metric.kind == "counter"
}
"""A counter that calls are counted by → the one of what later reports took away from it."""
OWN = (*ALERTS, *own.OWN, *_PRICED, *CORRECTED.values())
METRICS = {metric.name: metric for metric in FLEET + OWN}
