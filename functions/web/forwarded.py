"""Takes forwarded HTTP, bodies in chunks included, to routes that know azure.functions alone."""

import asyncio
import contextvars
import logging
import re
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qsl

import azure.functions as func
from azure.functions.http import HttpRequest

from functions.invoked import inside
from functions.replies import UNFORESEEN
from functions.route import Route
from functions.web.extension import Request, Response  # not Starlette's: the worker must know
from functions.web.names import joined
from functions.web.pairs import ID, NoRequest, problem
from shared.wiring import App

MOST_BYTES = 104_857_600
"""Of a body: what the Functions host lets through. Routes have limits of their own."""
THREADS = 32
TWICE_ENCODED = re.compile("%25(?=[0-9A-Fa-f]{2})")
"""The host's forwarder encodes what was left encoded in a path."""
FRAMING = ("content-type", "content-length", "transfer-encoding")

logger = logging.getLogger(__name__)
_pool = ThreadPoolExecutor(THREADS, "route")


def over_http(route: Route, app: Callable[[], App]) -> Callable[..., object]:
    """Return the route's trigger where the host forwards requests as they came.

    It never raises: after a failed invocation the host drops the client's connection.
    """

    def work(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        with _logged(context), inside(context, app):
            return route.answer(req, app)

    async def trigger(req: Request, context: func.Context) -> Response:
        key = context.invocation_id
        try:
            if isinstance(req, NoRequest):
                logger.warning("The HTTP request of invocation %s never came.", key)
                return problem(503, "The request did not reach the function. Send it again.", key)
            body = await _body(req)
            if body is None:
                return Response(status_code=400)  # The client has gone.
            if len(body) > MOST_BYTES:
                return problem(413, f"The body has more than {MOST_BYTES} bytes. Send less.", key)
            given = worker_request(req, body)
            here = contextvars.copy_context()
            run = partial(here.run, partial(work, given, context))
            return response_of(await asyncio.get_running_loop().run_in_executor(_pool, run))
        except (Exception, SystemExit):
            logger.exception("Invocation %s failed.", key)
            return problem(500, UNFORESEEN, key)

    return trigger


@contextmanager
def _logged(context: func.Context) -> Generator[None]:
    """Let the worker know whose the log lines of this thread are."""
    storage = cast(Any, context.thread_local_storage)
    storage.invocation_id = context.invocation_id
    try:
        yield
    finally:
        storage.invocation_id = None


async def _body(req: Request) -> bytes | None:
    """Read to the end, keep no more than one byte over the limit; None where the client left."""
    kept = bytearray()
    while True:
        message = await req.receive()
        if message["type"] != "http.request":
            return None
        kept += message.get("body", b"")
        del kept[MOST_BYTES + 1 :]
        if not message.get("more_body"):
            return bytes(kept)


def worker_request(req: Request, body: bytes) -> func.HttpRequest:
    """Return the request as it comes over gRPC: the client's address, repeated names joined."""
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in req.headers.raw]
    headers = joined((name, value) for name, value in raw if name != ID)
    headers["host"] = headers.get("x-forwarded-host") or headers.get("host", "")
    scheme = headers.get("x-forwarded-proto") or req.url.scheme
    path = TWICE_ENCODED.sub("%", req.scope["raw_path"].decode("latin-1"))
    query = req.scope["query_string"].decode("latin-1")
    return HttpRequest(
        method=req.method,
        url=f"{scheme}://{headers['host']}{path}{'?' if query else ''}{query}",
        headers=headers,
        params=joined(parse_qsl(query)),
        route_params=dict(req.path_params),
        body_type="bytes",
        body=body,
    )


def response_of(given: func.HttpResponse) -> Response:
    """Return the answer as it goes over gRPC, with each of several headers of one name."""
    charset = f"; charset={given.charset}" if given.mimetype.startswith("text/") else ""
    response = Response(given.get_body(), given.status_code)
    headers = cast("Mapping[str, str]", given.headers)
    response.headers["content-type"] = headers.get("content-type") or given.mimetype + charset
    for name, value in headers.items():
        if name.lower() not in FRAMING:
            response.headers.append(name, value.strip())
    return response
