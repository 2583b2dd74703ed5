"""Answers HTTP as the Functions host does: routes, keys, requests as the worker sees them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from urllib.parse import parse_qsl

import azure.functions as func
from azure.functions.http import HttpRequest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from standin.functions_host.admin import Admin, holds_key
from standin.functions_host.index import HttpFunction
from standin.functions_host.invoke import Call, Done, Failed
from standin.functions_host.routes import decoded

BODY_LIMIT_BYTES = 100 * 1024**2
# The server frames the body itself.
FRAMING = ("content-length", "transfer-encoding", "connection")

Run = Callable[[Call[Response]], Done[Response] | Failed]


class Front:
    """Every route of the app, as an ASGI endpoint."""

    def __init__(
        self,
        functions: Sequence[HttpFunction],
        key: str,
        run: Run,
        pools: Mapping[bool, Executor],
    ) -> None:
        """Serve the functions.

        key: opens those of auth level function and admin. pools: where invocations run, by
            whether the function is async.
        """
        self._functions = sorted(functions, key=lambda function: function.route.rank)
        self._key = key
        self._run = run
        self._pools = pools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = self._match(request)
        if found is None:
            return Response(status_code=404)
        function, route_params = found
        if function.auth != "anonymous" and not holds_key(request, self._key):
            return Response(status_code=401)
        try:
            body = await read_body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        return await self._invoke(function, request, route_params, body)

    def _match(self, request: Request) -> tuple[HttpFunction, Mapping[str, str]] | None:
        path = decoded(request.scope["raw_path"].decode("latin-1"))
        for function in self._functions:
            if function.methods and request.method not in function.methods:
                continue
            route_params = function.route.match(path)
            if route_params is not None:
                return function, route_params
        return None

    async def _invoke(
        self,
        function: HttpFunction,
        request: Request,
        route_params: Mapping[str, str],
        body: bytes,
    ) -> Response:
        call = Call(
            function,
            partial(worker_request, request, route_params, body),
            worker_response,
            request.headers.get("traceparent", ""),
            request.headers.get("tracestate", ""),
            status=lambda response: response.status_code,
        )
        pool = self._pools[function.signature.is_async]
        outcome = await asyncio.get_running_loop().run_in_executor(pool, self._run, call)
        return outcome.result if isinstance(outcome, Done) else Response(status_code=500)


async def read_body(request: Request) -> bytes | None:
    """Return the body, empty where there is no Content-Length; None if it is over the limit."""
    length = int(request.headers.get("content-length") or 0)
    if length > BODY_LIMIT_BYTES:
        return None
    kept, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT_BYTES:
            return None
        if length:
            kept += chunk
    return bytes(kept)


def worker_request(request: Request, route_params: Mapping[str, str], body: bytes) -> HttpRequest:
    """Return the request as the worker hands it to a function."""
    return HttpRequest(
        method=request.method,
        url=str(request.url),
        headers=_joined(request.headers.items()),
        params=_joined(parse_qsl(request.url.query)),
        route_params=route_params,
        body_type="bytes",
        body=body,
    )


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Join what comes twice by a comma."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def worker_response(value: object) -> Response:
    """Turn what a function returned into the response.

    Raises:
        TypeError: it is neither an HttpResponse nor text.
    """
    if isinstance(value, str):
        return Response(value, media_type="text/plain")
    if not isinstance(value, func.HttpResponse):
        raise TypeError(
            f"unable to encode outgoing TypedData: unsupported type {type(value).__name__} for "
            "an HTTP response. Return azure.functions.HttpResponse."
        )
    charset = f"; charset={value.charset}" if value.mimetype.startswith("text/") else ""
    response = Response(value.get_body(), value.status_code)
    response.headers["content-type"] = value.mimetype + charset
    for name, text in value.headers.items():
        if name.lower() == "set-cookie":
            response.headers.append(name, text)
        elif name.lower() not in FRAMING:
            response.headers[name] = text
    return response


def create_app(front: Front, admin: Admin) -> Starlette:
    """Put the host's own routes before the app's."""
    return Starlette(routes=[*admin.routes(), Route("/{path:path}", front)])
