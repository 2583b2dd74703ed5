"""Every metric that agentmeter keeps: one row each, with its labels, unit and buckets."""

from typing import Any

from shared.events import types
from shared.metrics.alerts import ALERTS
from shared.metrics.metric import Amounts, Kind, Metric
from shared.pricing.cost import Cost


def _labels(data: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """Read label values off the event data; what was not sent is empty."""
    return tuple("" if (value := getattr(data, n)) is None else str(value) for n in names)


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
    """Yield the totals `input` and `output`, then those parts of them that occur."""
    if data.usage is None:
        return
    for field in ("input", "output"):
        yield (data.provider, data.model, field), getattr(data.usage, f"{field}_tokens")
    for field in TOKEN_PARTS:
        if amount := getattr(data.usage, f"{field}_tokens"):
            yield (data.provider, data.model, field), amount


def _cost(data: types.LlmCall, cost: Cost | None) -> Amounts:
    """Yield the cost unless it is unknown: an unknown price is never shown as zero."""
    if cost is not None and cost.usd is not None:
        yield (data.provider, data.model), cost.usd


def _cost_status(data: types.LlmCall, cost: Cost | None) -> Amounts:
    """Yield how sure the price of the calls was."""
    if cost is not None:
        yield (data.provider, data.model, cost.status), data.count


def _revenue(data: types.Revenue, cost: Cost | None) -> Amounts:
    """Yield the money that came in."""
    yield (data.pricing_tier,), data.amount_usd


TOKEN_PARTS = (
    "cache_read",
    "cache_write",
    "reasoning",
    "audio_input",
    "audio_output",
)
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

EVENTS = Metric(
    *("agentmeter_events_total", "counter"),
    "Events by type and what became of them: exported, duplicate or refused.",
    ("type", "outcome"),
)
SPANS = Metric(
    *("agentmeter_spans_total", "counter"),
    "Spans of models' and agents' work by what became of them: exported, duplicate or refused.",
    ("outcome",),
)
CAPPED = Metric(
    *("agentmeter_labels_capped_total", "counter"),
    "Points whose label value became `other` because the label has too many values.",
    ("label",),
)
SERIES_CAPPED = Metric(
    *("agentmeter_series_capped_total", "counter"),
    "Points counted as `other` in every label, and samples of gauges that were dropped, because "
    "the metric has too many series or sources.",
    ("metric",),
)
NOT_EXPORTED = Metric(
    *("agentmeter_metric_rows_refused_total", "counter"),
    "Rows of AppMetrics that Azure Monitor refused for good; the totals here have them.",
    (),
)
CONFIG_PROBLEMS = Metric(
    *("agentmeter_config_problems", "gauge"),
    "1 for a file of the configuration that is wrong, 0 for one that is right.",
    ("file",),
)
HEARTBEAT = Metric(
    *("agentmeter_heartbeat", "gauge"),
    "1 for each tick of the timer that ran to its end, whatever its rules found.",
    (),
)
OUTBOX = Metric(
    *("agentmeter_outbox_depth", "gauge"),
    "Pages that wait to be sent, after the tick's own deliveries.",
    (),
)
LAG = Metric(
    *("agentmeter_evaluation_lag_seconds", "gauge"),
    "Seconds since the last good evaluation of the rule that waits longest.",
    (),
    unit="seconds",
)
BUDGET_AMOUNT = Metric(
    *("agentmeter_budget_amount_usd", "gauge"),
    "What a budget allows in its period, in US dollars.",
    ("budget",),
    unit="usd",
)
BUDGET_SPENT = Metric(
    *("agentmeter_budget_spent_usd", "gauge"),
    "What is spent of a budget in its period so far; absent where no call has a price.",
    ("budget",),
    unit="usd",
)
BUDGET_FORECAST = Metric(
    *("agentmeter_budget_forecast_usd", "gauge"),
    "What a budget's whole period will cost at its pace so far; absent until a quarter has passed.",
    ("budget",),
    unit="usd",
)
BUDGET_UNPRICED = Metric(
    *("agentmeter_budget_unpriced_calls", "gauge"),
    "Model calls in a budget's period that have no price and are in no sum.",
    ("budget",),
)
OWN = (
    *ALERTS,
    EVENTS,
    SPANS,
    CAPPED,
    SERIES_CAPPED,
    NOT_EXPORTED,
    CONFIG_PROBLEMS,
    HEARTBEAT,
    OUTBOX,
    LAG,
    BUDGET_AMOUNT,
    BUDGET_SPENT,
    BUDGET_FORECAST,
    BUDGET_UNPRICED,
    Metric(
        *("agentmeter_priced_calls_total", "counter"),
        "Model calls by how sure their price is; status unknown wants a price.",
        *((*_MODEL, "cost_status"), _T.LlmCall, _cost_status),
    ),
)
METRICS = {metric.name: metric for metric in FLEET + OWN}
