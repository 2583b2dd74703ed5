"""What each function is for, takes and answers: a row for every one that HTTP reaches."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypeAliasType

from functions.openapi import answers, costs
from functions.openapi.examples import CALL, LOGS, MISSION, SILENCE, SPANS
from functions.openapi.operation import (
    JSON,
    RETRY_AFTER,
    Answer,
    Body,
    Operation,
    json,
    refusals,
)
from functions.openapi.why import Context, VerdictShown, Why
from functions.openapi.work import Work, WorkList
from shared.alerting.silences import SilenceForm
from shared.events.body import BATCH, SINGLE
from shared.events.otlp.media import PROTOBUF
from shared.events.types import AgentEvent
from shared.usecases.explaining.verdicts import VerdictForm

AnEvent = TypeAliasType("AnEvent", AgentEvent)
Events = Annotated[list[AnEvent], Field(min_length=1, max_length=1000)]
OTLP = (JSON, PROTOBUF)
TEXT, OPENMETRICS = "text/plain", "application/openmetrics-text"


def _otlp(signal: str, example: Mapping[str, Any], more: Mapping[int, Answer]) -> Operation:
    """Return what there is to say of a signal of OTLP. more: answers beside 200."""
    shape = dict[str, Any] if more else Any
    taken = {JSON: Body(answers.OtlpSuccess), PROTOBUF: Body(bytes)}
    busy = refusals(429, shape=answers.OtlpFailure, media=OTLP)
    return Operation(
        "ingest",
        f"Take an OTLP export of {signal}.",
        {200: Answer("Taken, but for what the answer names.", taken), **busy, **more},
        bodies={JSON: Body(shape, {"an export": example}), PROTOBUF: Body(bytes)},
        is_body_required=bool(more),
    )


def _health(summary: str, shape: object, more: Mapping[int, Answer]) -> Operation:
    return Operation("operation", summary, {200: json("What was checked.", shape), **more})


def _work(kind: str) -> Operation:
    return Operation(
        "costs",
        f"Show what agents did in a {kind}: each step with its cost, and the whole.",
        {200: json("The steps as a tree by parent span.", Work), **refusals(404, 503)},
    )


def _work_list(kind: str) -> Operation:
    return Operation(
        "costs",
        f"List the {kind}s that model calls were made for, the dearest first.",
        {200: json("What they cost, took and used.", WorkList), **refusals(400, 503)},
        costs.ASK_WORK,
    )


OPERATIONS: Mapping[str, Operation] = {
    "post_events": Operation(
        "ingest",
        "Send events: one, or an array of up to 1,000; gzip and deflate are taken.",
        {
            202: json("Every event is stored durably.", answers.Accepted, {"accepted": 2}),
            207: json("Some are stored, the others are named.", answers.PartlyAccepted),
            400: json("None is stored.", answers.NothingAccepted),
            **refusals(411, 413, 415, 503),
        },
        bodies={
            JSON: Body(AnEvent | Events, {"one": CALL, "several": [CALL, MISSION]}),
            SINGLE: Body(AnEvent, {"one": CALL}),
            BATCH: Body(Events, {"several": [CALL, MISSION]}),
        },
    ),
    "post_traces": _otlp(
        "traces",
        SPANS,
        refusals(400, 411, 413, 415, 503, shape=answers.OtlpFailure, media=OTLP),
    ),
    "post_metrics": _otlp("metrics, which are not used here", {"resourceMetrics": []}, {}),
    "post_logs": _otlp(
        "logs: events of model calls and of coding agents' work",
        LOGS,
        refusals(400, 411, 413, 415, 503, shape=answers.OtlpFailure, media=OTLP),
    ),
    "get_metrics": Operation(
        "operation",
        "Read every metric, as Prometheus does.",
        {
            200: Answer("The totals since ever.", {TEXT: Body(str), OPENMETRICS: Body(str)}),
            **refusals(503),
        },
    ),
    "get_health": _health("See what works and what does not.", answers.Health, refusals(503)),
    "get_alerts_health": _health(
        "Ask whether rules are evaluated.",
        answers.HealthCheck,
        {
            503: Answer(
                "They are not, or nothing is known.",
                {JSON: Body(answers.HealthCheck | answers.Failure)},
                RETRY_AFTER,
            )
        },
    ),
    "get_alerts": Operation(
        "alerts",
        "List the rules and the alerts.",
        {200: json("All of them.", answers.Alerts), **refusals(503)},
    ),
    "get_alert_why": Operation(
        "alerts",
        "Explain why an alert fires or is silent; `id` may be the name of its rule.",
        {200: json("All that is known of it.", Why), **refusals(404, 503)},
    ),
    "get_alert_context": Operation(
        "alerts",
        "Show what surrounds an alert: values against the limit, contributors, events, changes.",
        {
            200: json("What is known of it; a part without an answer says why.", Context),
            **refusals(404, 503),
        },
    ),
    "post_alert_verdict": Operation(
        "alerts",
        "Say whether an alert was real; a later verdict on the same episode takes its place.",
        {200: json("The verdict.", VerdictShown), **refusals(400, 404, 503)},
        bodies={JSON: Body(VerdictForm)},
    ),
    "get_costs": Operation(
        "costs",
        "Return what was spent, by whom, over time, and what has no price.",
        {
            200: Answer("The bill.", {JSON: Body(costs.Costs), "text/csv": Body(str)}),
            **refusals(400, 503),
        },
        costs.ASK,
    ),
    "get_cost_calls": Operation(
        "costs",
        "List the model calls that a cost is made of, the dearest first.",
        {200: json("The calls.", costs.Calls), **refusals(400, 503)},
        costs.ASK_CALLS,
    ),
    "get_traces": _work_list("trace"),
    "get_trace": _work("trace"),
    "get_missions": _work_list("mission"),
    "get_mission": _work("mission"),
    "get_conversations": _work_list("conversation"),
    "get_conversation": _work("conversation"),
    "get_budgets": Operation(
        "costs",
        "See where each budget stands.",
        {200: json("All of them.", answers.Budgets), **refusals(503)},
    ),
    "post_evaluate": Operation(
        "alerts",
        "Evaluate the rules that are due and send their pages, as the timer does.",
        {200: json("What was done.", answers.Evaluated), **refusals(503)},
    ),
    "get_silences": Operation(
        "alerts",
        "List the silences.",
        {200: json("All of them.", answers.SilenceList), **refusals(503)},
    ),
    "post_silences": Operation(
        "alerts",
        "Mute some alerts for a while.",
        {201: json("The silence.", answers.SilenceShown), **refusals(400, 503)},
        bodies={JSON: Body(SilenceForm, {"for a move": SILENCE})},
    ),
    "delete_silence": Operation(
        "alerts",
        "End a silence.",
        {200: json("The silence as it is now.", answers.SilenceShown), **refusals(404, 503)},
    ),
    "get_openapi": Operation(
        "operation",
        "Read this document.",
        {200: json("OpenAPI 3.1.", dict[str, Any])},
    ),
}
