"""POST /v1/traces: what OpenTelemetry exporters send; to metrics and logs, a friendly no."""

from collections.abc import Callable, Sequence

import azure.functions as func

from functions.replies import failure, headers, status_of, wait_of
from functions.route import Route
from shared.adapters.otlp.answer import (
    INVALID_ARGUMENT,
    UNAVAILABLE,
    refused,
    success,
)
from shared.errors import AgentmeterError
from shared.events.otlp.media import JSON, Media, media_of, media_wanted
from shared.wiring import App

UNUSED = (
    "No {signal} are used here, only traces. Set OTEL_{name}_EXPORTER=none to spare the requests."
)


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the routes."""

    def post_traces(req: func.HttpRequest) -> func.HttpResponse:
        given = headers(req)
        try:
            media, parts = media_wanted(given), app()
            received = parts.traces.accept(req.get_body(), given, media, parts.clock.now())
            parts.queue.put(received.messages)
        except AgentmeterError as exc:
            return _refusal(media_of(given) or JSON, exc)
        return _reply(200, media, success(media, "traces", received.rejected, received.said))

    def post_metrics(req: func.HttpRequest) -> func.HttpResponse:
        return _unused(req, "metrics")

    def post_logs(req: func.HttpRequest) -> func.HttpResponse:
        return _unused(req, "logs")

    return [
        Route("post_traces", "v1/traces", {"POST": post_traces}),
        Route("post_metrics", "v1/metrics", {"POST": post_metrics}),
        Route("post_logs", "v1/logs", {"POST": post_logs}),
    ]


def _unused(req: func.HttpRequest, signal: str) -> func.HttpResponse:
    """Answer so that the exporter neither retries nor believes that something came of it."""
    media = media_of(headers(req)) or JSON
    message = UNUSED.format(signal=signal, name=signal.upper())
    return _reply(200, media, success(media, signal, 0, message))


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
