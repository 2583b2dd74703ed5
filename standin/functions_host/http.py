"""Answers HTTP as the Functions host does: routes, keys, requests as the worker sees them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from urllib.parse import parse_qsl, quote

import azure.functions as func
from azure.functions.http import HttpRequest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from functions.web.names import joined
from standin.functions_host.admin import Admin
from standin.functions_host.index import HttpFunction
from standin.functions_host.invoke import Call, Done, Invoker
from standin.functions_host.keys import Keys
from standin.functions_host.routes import decoded

BODY_LIMIT_BYTES = 100 * 1024**2
LINE_LIMIT_BYTES = 8 * 1024
HEADERS_LIMIT_BYTES = 32 * 1024
# The server frames the body itself.
FRAMING = ("content-length", "transfer-encoding", "connection")

DROPPED = ("connection", "keep-alive", "te", "upgrade", "proxy-authorization", "x-ms-invocation-id")
"""Headers that the forwarder keeps, or writes itself."""
WORKER = "127.0.0.1:1"
"""Where the worker's own server would be."""


class Front:
    """Every route of the app, as an ASGI endpoint."""

    def __init__(
        self,
        functions: Sequence[HttpFunction],
        keys: Keys,
        invoker: Invoker,
        pools: Mapping[bool, Executor],
    ) -> None:
        """Serve the functions.

        keys: open those of auth level function and admin. pools: where invocations run, by
            whether the function is async.
        """
        self._functions = sorted(functions, key=lambda function: function.route.rank)
        self._keys = keys
        self._invoker = invoker
        self._pools = pools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        status = oversize(scope)
        response = Response(status_code=status) if status else await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = self._match(request)
        if found is None:
            return Response(status_code=404)
        function, route_params = found
        if function.auth != "anonymous" and not self._keys.opens(request, function.name):
            return Response(status_code=401)
        if function.signature.is_forwarded:
            return await self._forward(function, request, route_params)
        try:
            body = await read_body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return failed()
        return await self._hand(function, request, route_params, body)

    def _match(self, request: Request) -> tuple[HttpFunction, Mapping[str, str]] | None:
        path = decoded(request.scope["raw_path"].decode("latin-1"))
        for function in self._functions:
            if function.methods and request.method not in function.methods:
                continue
            route_params = function.route.match(path)
            if route_params is not None:
                return function, route_params
        return None

    async def _hand(
        self,
        function: HttpFunction,
        request: Request,
        route_params: Mapping[str, str],
        body: bytes,
    ) -> Response:
        """Invoke with the request as gRPC carries it."""
        argument = partial(worker_request, request, route_params, body)
        call = _call(function, request, argument, worker_response)
        pool = self._pools[function.signature.is_async]
        run = partial(self._invoker.run, call)
        outcome = await asyncio.get_running_loop().run_in_executor(pool, run)
        return outcome.result if isinstance(outcome, Done) else Response(status_code=500)

    async def _forward(
        self, function: HttpFunction, request: Request, route_params: Mapping[str, str]
    ) -> Response:
        """Invoke with the request as it came, which the function reads itself."""
        body = Body(request)
        sent = Request(forwarded_scope(request, route_params), body.receive)
        call = _call(function, request, lambda: sent, extension_response)
        outcome = await self._invoker.forward(call)
        if isinstance(outcome, Done) and not body.is_too_long:
            return outcome.result
        return failed()


def _call(
    function: HttpFunction,
    request: Request,
    argument: Callable[[], object],
    finish: Callable[[object], Response],
) -> Call[Response]:
    return Call(
        function,
        argument,
        finish,
        request.headers.get("traceparent", ""),
        request.headers.get("tracestate", ""),
        status=lambda response: response.status_code,
    )


def oversize(scope: Scope) -> int:
    """Return the status for a first line or headers too long for Kestrel, 0 for others."""
    line = scope["method"].encode(), scope["raw_path"], scope["query_string"], b" ? HTTP/1.1"
    if sum(map(len, line)) > LINE_LIMIT_BYTES:
        return 414
    headers = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    return 431 if headers > HEADERS_LIMIT_BYTES else 0


def failed() -> Response:
    """Return the answer to a body over the limit, and to a failure of a function that took a
    forwarded request; the host then closes the client's connection."""
    return Response(status_code=500, headers={"connection": "close"})


class Body:
    """Hands on a body that is forwarded, up to the limit."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._left = BODY_LIMIT_BYTES

    @property
    def is_too_long(self) -> bool:
        return self._left < 0

    async def receive(self) -> Message:
        """Return the next part; past the limit, as if the client had left."""
        message = await self._request.receive()
        self._left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_too_long else message


def forwarded_scope(request: Request, route_params: Mapping[str, str]) -> Scope:
    """Return what the worker's server makes of the request that the host's forwarder sends on."""
    headers = joined(
        (name, value) for name, value in request.headers.items() if name not in DROPPED
    )
    client = request.client.host if request.client else ""
    headers |= {
        "x-forwarded-for": client,
        "x-forwarded-host": headers.get("host", ""),
        "x-forwarded-proto": request.url.scheme,
        "host": WORKER,
    }
    path = quote(decoded(request.scope["raw_path"].decode("latin-1")), safe="/~@!$&'()*+,;=:")
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    own = {"headers": raw, "raw_path": path.encode(), "path_params": dict(route_params)}
    return {**request.scope, **own}


async def read_body(request: Request) -> bytes | None:
    """Return the body, empty where there is no Content-Length; None if it is over the limit."""
    length = int(request.headers.get("content-length") or 0)
    if length > BODY_LIMIT_BYTES:
        return None
    kept = bytearray()
    async for chunk in request.stream():
        if length:
            kept += chunk
    return bytes(kept)


def worker_request(request: Request, route_params: Mapping[str, str], body: bytes) -> HttpRequest:
    """Return the request as the worker hands it to a function."""
    return HttpRequest(
        method=request.method,
        url=str(request.url),
        headers=joined(request.headers.items()),
        params=joined(parse_qsl(request.url.query)),
        route_params=route_params,
        body_type="bytes",
        body=body,
    )


def extension_response(value: object) -> Response:
    """Return the response of a function that takes forwarded requests.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, Response):
        return value
    raise TypeError(f"{type(value).__name__} is no response of the web extension")


def worker_response(value: object) -> Response:
    """Turn what a function returned into the response.

    Raises:
        TypeError: it is neither an HttpResponse nor text, or text that Azure's host may take for
            a response of its own making.
    """
    if isinstance(value, str) and not value.lstrip().startswith("{"):
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
