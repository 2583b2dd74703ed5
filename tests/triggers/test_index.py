import inspect
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import azure.functions as func
import pytest

from functions import build
from shared.wiring import App

ROOT = Path(__file__).parent.parent.parent
TRIGGERS = {
    "post_events": ("httpTrigger", "api/events", "FUNCTION"),
    "post_traces": ("httpTrigger", "v1/traces", "FUNCTION"),
    "post_metrics": ("httpTrigger", "v1/metrics", "FUNCTION"),
    "post_logs": ("httpTrigger", "v1/logs", "FUNCTION"),
    "get_metrics": ("httpTrigger", "metrics", "ANONYMOUS"),
    "get_health": ("httpTrigger", "api/health", "ANONYMOUS"),
    "get_alerts_health": ("httpTrigger", "api/health/alerts", "ANONYMOUS"),
    "get_alerts": ("httpTrigger", "api/alerts", "FUNCTION"),
    "get_alert_why": ("httpTrigger", "api/alerts/{id}/why", "FUNCTION"),
    "get_alert_context": ("httpTrigger", "api/alerts/{id}/context", "FUNCTION"),
    "post_alert_verdict": ("httpTrigger", "api/alerts/{id}/verdict", "FUNCTION"),
    "get_costs": ("httpTrigger", "api/costs", "FUNCTION"),
    "get_cost_calls": ("httpTrigger", "api/costs/calls", "FUNCTION"),
    "get_traces": ("httpTrigger", "api/traces", "FUNCTION"),
    "get_trace": ("httpTrigger", "api/traces/{id}", "FUNCTION"),
    "get_missions": ("httpTrigger", "api/missions", "FUNCTION"),
    "get_mission": ("httpTrigger", "api/missions/{id}", "FUNCTION"),
    "get_conversations": ("httpTrigger", "api/conversations", "FUNCTION"),
    "get_conversation": ("httpTrigger", "api/conversations/{id}", "FUNCTION"),
    "get_budgets": ("httpTrigger", "api/budgets", "FUNCTION"),
    "get_silences": ("httpTrigger", "api/silences", "FUNCTION"),
    "post_silences": ("httpTrigger", "api/silences", "FUNCTION"),
    "delete_silence": ("httpTrigger", "api/silences/{id}", "FUNCTION"),
    "get_openapi": ("httpTrigger", "api/openapi.json", "FUNCTION"),
    "process_events": ("queueTrigger", "usage-events"),
    "post_evaluate": ("httpTrigger", "api/evaluate", "FUNCTION"),
    "evaluate_alerts": ("timerTrigger", "*/15 * * * * *"),
}


def never() -> App:
    raise AssertionError("indexing must not build the app")


def bindings(function: func.Function) -> list[dict[str, object]]:
    return [json.loads(raw) for raw in function.get_raw_bindings()]


def trigger_of(function: func.Function) -> tuple[object, ...]:
    """Return what starts the function, as the Functions host is told."""
    (trigger,) = [b for b in bindings(function) if str(b["type"]).endswith("Trigger")]
    match trigger["type"]:
        case "httpTrigger":
            return trigger["type"], trigger["route"], trigger["authLevel"]
        case "queueTrigger":
            return trigger["type"], trigger["queueName"]
        case kind:
            return kind, trigger["schedule"]


def test_the_app_indexes_exactly_these_functions_and_reads_nothing() -> None:
    functions = build(never).get_functions()
    assert {f.get_function_name(): trigger_of(f) for f in functions} == TRIGGERS


def test_every_function_asks_in_which_invocation_it_is() -> None:
    """Without functions.invoked, its log lines and calls would belong to nothing."""
    for function in build(never).get_functions():
        parameters = inspect.signature(function.get_user_function()).parameters
        assert "context" in parameters, function.get_function_name()


def test_queues_are_those_of_the_design() -> None:
    names = {
        b["queueName"]
        for function in build(never).get_functions()
        for b in bindings(function)
        if b["type"] == "queue"
    }
    assert names == {"usage-events", "usage-events-poison"}


def test_no_http_function_has_a_queue_output() -> None:
    """Forwarded HTTP is answered before the host stores outputs."""
    for function in build(never).get_functions():
        types = {str(b["type"]) for b in bindings(function)}
        assert types == {"httpTrigger", "http"} or "httpTrigger" not in types


def test_every_path_takes_every_method_that_a_binding_can_name() -> None:
    every = {method.value for method in func.HttpMethod}
    taken = defaultdict[object, set[str]](set)
    for function in build(never).get_functions():
        for trigger in bindings(function):
            if trigger["type"] == "httpTrigger":
                methods = set(cast("Sequence[str]", trigger.get("methods", ()))) or every
                assert not taken[trigger["route"]] & methods
                taken[trigger["route"]] |= methods
    assert {path for path, methods in taken.items() if methods != every} == set()


def test_every_function_has_one_app_and_none_twice() -> None:
    app = build(never)
    assert len(app.get_functions()) == len(TRIGGERS)
    with pytest.raises(ValueError, match="unique function name"):
        app.get_functions()


def test_host_json_has_no_route_prefix_and_waits_before_a_retry() -> None:
    extensions = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]
    assert extensions["http"]["routePrefix"] == ""
    assert extensions["queues"]["visibilityTimeout"] != "00:00:00"
    assert extensions["queues"]["messageEncoding"] == "base64"


def test_the_host_says_of_every_request_itself_and_leaves_none_out() -> None:
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert "telemetryMode" not in host
    sampling = host["logging"]["applicationInsights"]["samplingSettings"]
    assert {"Request", "Exception"} <= set(sampling["excludedTypes"].split(";"))
    assert host["logging"]["logLevel"]["Host.Results"] == "Information"
