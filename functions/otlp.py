"""POST /v1/traces, /v1/logs and /v1/metrics: what OpenTelemetry exporters send."""

from collections.abc import Callable, Sequence

import azure.functions as func

from functions.caller import key_of, tenant_in
from functions.replies import failure, headers, repeat, status_of
from functions.route import Role, Route
from shared.adapters.otlp.answer import Name, code_of, refused, success
from shared.errors import AgentmeterError, InvalidEvent
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
        Route("post_traces", "v1/traces", {"POST": post_traces}, Role.AGENT, refuse=_refusal),
        Route("post_logs", "v1/logs", {"POST": post_logs}, Role.AGENT, refuse=_refusal),
        Route("post_metrics", "v1/metrics", {"POST": post_metrics}, Role.AGENT, refuse=_refusal),
    ]


def _take(
    req: func.HttpRequest, signal: Name, app: Callable[[], App], taking: Callable[[App], TakeOtlp]
) -> func.HttpResponse:
    """Queue an export, or a count of one that cannot be read; answer in its own encoding."""
    given, parts, key = headers(req), app(), key_of(req)
    now, take = parts.clock.now(), taking(parts)
    try:
        media = media_wanted(given)
        received = take.accept(req.get_body(), given, media, now, tenant_in(key))
    except InvalidEvent:
        parts.queue.put(take.count_refused(now))
        raise
    parts.queue.put(received.messages)
    parts.rates.spend(key, received.events, now)
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


def _refusal(req: func.HttpRequest, exc: AgentmeterError) -> func.HttpResponse:
    """Answer with the error as OTLP has it; where a repeat may help, say when."""
    status = status_of(exc)
    if status == 500:
        return failure(exc)
    media = media_of(headers(req)) or JSON
    return _reply(status, media, refused(media, code_of(status), str(exc)), **repeat(exc))


def _reply(status: int, media: Media, body: bytes, **headers: str) -> func.HttpResponse:
    return func.HttpResponse(body, status_code=status, mimetype=media, headers=headers)
