"""What agentmeter counts and measures of itself."""

from collections.abc import Mapping

from shared.metrics.metric import Metric

EVENTS = Metric(
    *("agentmeter_events_total", "counter"),
    "Events by type and what became of them: exported, duplicate, refused, or correction, which is "
    "a duplicate that knew more of its call.",
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
ACCEPTED = Metric(
    *("agentmeter_events_accepted_total", "counter"),
    "Events that POST /api/events, /v1/traces and /v1/logs accepted.",
    (),
)
REFUSED = Metric(
    *("agentmeter_events_refused_total", "counter"),
    "Events that were not accepted, by reason; a request that cannot be read counts as one. "
    "Reasons `unread_span` and `sampled_span` are of spans that may miss from the costs.",
    ("reason",),
)
OTLP: Mapping[str, Metric] = {
    outcome: Metric(f"agentmeter_otlp_{outcome}_total", "counter", text, ("signal",))
    for outcome, text in {
        "received": "Spans and log records of models' work that exports held, all of them.",
        "read": "Spans and log records of models' work that were read.",
        "unread": "Spans and log records that count tokens in words that are not known here: "
        "they miss from the costs.",
        "refused": "Spans and log records that were wrong, and exports that could not be read, "
        "each as one: their sender drops them.",
        "sampled": "Spans of traces of which the sender keeps a share only: the others miss from "
        "the costs.",
    }.items()
}
"""What became of what exporters sent."""
UNREAD_SCOPES = Metric(
    *("agentmeter_otlp_unread_scopes_total", "counter"),
    "The same by instrumentation scope: spans and log records that count tokens in unknown words.",
    ("scope",),
)
DUPLICATES = Metric(
    *("agentmeter_events_duplicate_total", "counter"),
    "Accepted events that had been accepted before, and are counted nowhere else.",
    (),
)
CONTRADICTING = Metric(
    *("agentmeter_reports_contradicting_total", "counter"),
    "Duplicates of model calls that state other counts of tokens than the call that is counted.",
    (),
)
QUEUE_AGE = Metric(
    *("agentmeter_queue_age_seconds", "gauge"),
    "Seconds from a request to the processing of its events, of the latest message.",
    (),
    unit="seconds",
)
EXPORT_ITEMS = Metric(
    *("agentmeter_export_items_total", "counter"),
    "Events and spans by what Azure Monitor made of them: exported, refused, or later, which is "
    "counted for each try, and here alone.",
    ("outcome",),
)
HEARTBEAT = Metric(
    *("agentmeter_heartbeat", "gauge"),
    "1 for each tick of the timer that ran to its end, whether or not rules fired.",
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
LOG_LAG = Metric(
    *("agentmeter_log_lag_seconds", "gauge"),
    "Seconds, at least, until queries find what was sent, by the newest heartbeat that they find.",
    (),
    unit="seconds",
)
EVENT_LAG = Metric(
    *("agentmeter_event_lateness_seconds", "gauge"),
    "Seconds from an event's own time to its receipt, of the latest one of a source, where that is "
    "over 30, or its clock is ahead.",
    ("event_source",),
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
    EVENTS,
    SPANS,
    CAPPED,
    SERIES_CAPPED,
    NOT_EXPORTED,
    CONFIG_PROBLEMS,
    ACCEPTED,
    REFUSED,
    *OTLP.values(),
    UNREAD_SCOPES,
    DUPLICATES,
    CONTRADICTING,
    QUEUE_AGE,
    EXPORT_ITEMS,
    HEARTBEAT,
    OUTBOX,
    LAG,
    LOG_LAG,
    EVENT_LAG,
    BUDGET_AMOUNT,
    BUDGET_SPENT,
    BUDGET_FORECAST,
    BUDGET_UNPRICED,
)
