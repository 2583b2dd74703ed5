"""POST /v1/traces, /v1/logs and /v1/metrics: what OpenTelemetry exporters send."""

from collections.abc import Callable, Sequence

import azure.functions as func

from functions.replies import failure, headers, status_of, wait_of
from functions.route import Route
from shared.adapters.otlp.answer import (
    INVALID_ARGUMENT,
    UNAVAILABLE,
    Name,
    refused,
    success,
)
from shared.errors import AgentmeterError
from shared.events.otlp.media import JSON, Media, media_of, media_wanted
from shared.events.unpack import unpack
from shared.usecases.intake.otlp import TakeOtlp
from shared.usecases.intake.unused_metrics import advice
from shared.wiring import App


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""

    def post_traces(req: func.HttpRequest) -> func.HttpResponse:
        return _take(req, "traces", app, lambda parts: parts.traces)

    def post_logs(req: func.HttpRequest) -> func.HttpResponse:
        return _take(req, "logs", app, lambda parts: parts.logs)

    def post_metrics(req: func.HttpRequest) -> func.HttpResponse:
        return _unused(req, app)

    return [
        Route("post_traces", "v1/traces", {"POST": post_traces}),
        Route("post_logs", "v1/logs", {"POST": post_logs}),
        Route("post_metrics", "v1/metrics", {"POST": post_metrics}),
    ]


def _take(
    req: func.HttpRequest, signal: Name, app: Callable[[], App], taking: Callable[[App], TakeOtlp]
) -> func.HttpResponse:
    """Queue what the export tells, and answer in its own encoding."""
    given = headers(req)
    try:
        media, parts = media_wanted(given), app()
        received = taking(parts).accept(req.get_body(), given, media, parts.clock.now())
        parts.queue.put(received.messages)
    except AgentmeterError as exc:
        return _refusal(media_of(given) or JSON, exc)
    return _reply(200, media, success(media, signal, received.rejected, received.said))


def _unused(req: func.HttpRequest, app: Callable[[], App]) -> func.HttpResponse:
    """Answer so that the exporter neither retries nor believes that something came of it."""
    given = headers(req)
    media = media_of(given) or JSON
    from shared.adapters.otlp.metrics import read_metric_names

    try:
        names = read_metric_names(unpack(req.get_body(), given, app().otlp_sizes), media)
    except AgentmeterError:
        names = set[str]()
    return _reply(200, media, success(media, "metrics", 0, advice(names)))


def _refusal(media: Media, exc: AgentmeterError) -> func.HttpResponse:
    """Answer with the error as OTLP has it; where a repeat may help, say when."""
    status = status_of(exc)
    if status == 500:
        return failure(exc)
    code = UNAVAILABLE if status == 503 else INVALID_ARGUMENT
    wait = {"Retry-After": str(wait_of(exc))} if status == 503 else {}
    return _reply(status, media, refused(media, code, str(exc)), **wait)


def _reply(status: int, media: Media, body: bytes, **headers: str) -> func.HttpResponse:
    return func.HttpResponse(body, status_code=status, mimetype=media, headers=headers)
