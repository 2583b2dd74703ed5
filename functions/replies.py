"""Our errors as HTTP answers: one table, one way to write JSON."""

import hmac
import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import cast

import azure.functions as func
from pydantic import SecretStr

from shared.errors import (
    AgentmeterError,
    InvalidEvent,
    LengthRequired,
    Misconfigured,
    NotFound,
    RetryLater,
    TooLarge,
    TooManyRequests,
    UnsupportedMedia,
)
from shared.invocation import here

STATUS: dict[type[AgentmeterError], int] = {
    LengthRequired: 411,
    TooLarge: 413,
    UnsupportedMedia: 415,
    InvalidEvent: 400,
    NotFound: 404,
    TooManyRequests: 429,
    RetryLater: 503,
    Misconfigured: 503,
}
RETRY_AFTER_S = 30
UNFORESEEN = "agentmeter failed. Its log says why, under this id; to send again is of no use."

logger = logging.getLogger(__name__)


def reply(status: int, body: object, **headers: str) -> func.HttpResponse:
    """Answer with JSON."""
    return func.HttpResponse(
        json.dumps(body, allow_nan=False),
        status_code=status,
        mimetype="application/json",
        headers=headers,
    )


def status_of(exc: AgentmeterError) -> int:
    """Return the HTTP status of the error."""
    return next((code for kind, code in STATUS.items() if isinstance(exc, kind)), 500)


def wait_of(exc: AgentmeterError) -> int:
    """Return how many seconds to wait before a repeat."""
    wait = exc.retry_after_s if isinstance(exc, RetryLater) else None
    return math.ceil(wait or RETRY_AFTER_S)


def repeat(exc: AgentmeterError) -> dict[str, str]:
    """Return the header that says when to send again, for what may then be taken."""
    return {"Retry-After": str(wait_of(exc))} if status_of(exc) in (429, 503) else {}


def refusal(exc: AgentmeterError) -> func.HttpResponse:
    """Answer with the error; where a repeat may help, say when."""
    status = status_of(exc)
    if status == 500:
        return failure(exc)
    return reply(status, {"error": str(exc)}, **repeat(exc))


def failure(exc: Exception) -> func.HttpResponse:
    """Answer with what no sender can help, and the id under which the log says why."""
    place = here()
    logger.error("A request failed: %s", type(exc).__name__, exc_info=exc)
    error = str(exc) if isinstance(exc, AgentmeterError) else UNFORESEEN
    return reply(500, {"error": error, "id": place.invocation.id if place else ""})


def headers(req: func.HttpRequest) -> dict[str, str]:
    """Return the request's headers, names in lower case."""
    given = cast("Mapping[str, str]", req.headers)
    return {name.lower(): value for name, value in given.items()}


def closed_to(req: func.HttpRequest, tokens: Sequence[SecretStr]) -> func.HttpResponse | None:
    """Return the refusal of a request without one of the bearer tokens, where there are any."""
    wanted = [token.get_secret_value().encode() for token in tokens]
    given = headers(req).get("authorization", "").removeprefix("Bearer ").encode()
    if not wanted or any([hmac.compare_digest(given, one) for one in wanted]):  # noqa: C419 - each is compared, whichever fits
        return None
    return reply(
        401,
        {"error": "A bearer token is needed. Send `Authorization: Bearer <METRICS_TOKEN>`."},
        **{"WWW-Authenticate": "Bearer"},
    )
