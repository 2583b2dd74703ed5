"""Serves the page, and lets it ask what users ask: the HTTP API, the query API, the pager."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from local.page import workbooks
from local.page.guard import Guard
from shared.errors import AgentmeterError

TIMEOUT_S = 30
NO_PAGER = (
    "Over a deployment the pager's own list is not here: see PagerDuty. Alerts has every alert and "
    "its page, the workbook Alerts what came of them."
)
NO_QUEUES = (
    "Over a deployment the queues are not here: the metrics agentmeter_queue_… below have their "
    "length, `bin/ops poison list` what was set aside."
)
STATIC = Path(__file__).parent / "static"
JSON_BODY = {"content-type": "application/json"}

Handler = Callable[[Request], Awaitable[Response]]
Headers = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the page's questions go. key, master_key: they never reach the browser.

    query_url: takes POSTs of queries; sign_query returns the headers that go with one.
    pagerduty_url, master_key: "" over a deployment, which has neither pager nor host to ask.
    described: the file that holds the key, for a person's own commands.
    """

    app_url: str
    key: str
    query_url: str
    sign_query: Headers = dict[str, str]
    master_key: str = ""
    pagerduty_url: str = ""
    described: str = ""


def create_app(upstream: Upstream) -> Starlette:
    """Return the page.

    GET /api/…, POST and DELETE of silences, POST of verdicts: the app's API. POST /query: the
    query API. GET /incidents, /pages: the pager's. GET /queues: the host's. GET /workbooks: the
    names of the generated workbooks; /workbooks/{name}: one of them. GET /stack: where to send the
    first event, which file has the key, and whether all this is on a laptop.
    """
    to_app = _passing(upstream.app_url, lambda: {"x-functions-key": upstream.key})
    to_query = _renamed(_passing(upstream.query_url, upstream.sign_query), "")
    to_host, to_pager = _absent(NO_QUEUES), _absent(NO_PAGER)
    if upstream.pagerduty_url:
        to_host = _passing(upstream.app_url, lambda: {"x-functions-key": upstream.master_key})
        to_pager = _passing(upstream.pagerduty_url, dict[str, str])
    return Starlette(
        routes=[
            Route("/", _index),
            Route("/api/silences", to_app, methods=["POST"]),
            Route("/api/silences/{id}", to_app, methods=["DELETE"]),
            Route("/api/alerts/{id:path}/verdict", to_app, methods=["POST"]),
            Route("/api/{rest:path}", to_app, methods=["GET"]),
            Route("/query", to_query, methods=["POST"]),
            Route("/incidents", to_pager, methods=["GET"]),
            Route("/pages", _renamed(to_pager, "/events"), methods=["GET"]),
            Route("/queues", _renamed(to_host, "/admin/queues"), methods=["GET"]),
            Route("/stack", _stack_route(upstream), methods=["GET"]),
            Route("/workbooks", _workbooks, methods=["GET"]),
            Route("/workbooks/{name}", _workbook, methods=["GET"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard)],
    )


def _absent(what: str) -> Handler:
    """Return a handler that says what only the laptop's stand-ins can answer."""

    async def absent(_: Request) -> Response:
        return JSONResponse({"error": what}, 501)

    return absent


def _passing(base: str, headers: Headers) -> Handler:
    """Return a handler that asks the server at `base` the same, and gives its answer."""

    async def passed(request: Request) -> Response:
        path = request.scope.get("asked", request.scope["raw_path"].decode())
        try:
            signed = await run_in_threadpool(headers)
        except AgentmeterError as exc:
            return JSONResponse({"error": str(exc)}, 502)
        question = requests.Request(
            request.method,
            f"{base}{path}",
            {**signed, **JSON_BODY},
            params=list(request.query_params.multi_items()),
            data=await request.body(),
        )
        return await run_in_threadpool(_ask, question)

    return passed


def _stack_route(upstream: Upstream) -> Handler:
    """Return a handler that says where the API is, and which file has its key."""

    async def told(_: Request) -> Response:
        is_laptop = bool(upstream.pagerduty_url)
        told = {"app_url": upstream.app_url, "described": upstream.described, "laptop": is_laptop}
        return JSONResponse(told)

    return told


def _renamed(handler: Handler, path: str) -> Handler:
    """Return the handler for a path that has another name behind this server."""

    async def renamed(request: Request) -> Response:
        request.scope["asked"] = path
        return await handler(request)

    return renamed


def _ask(question: requests.Request) -> Response:
    """Ask, and answer 502 in JSON where the other side does not."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.send(session.prepare_request(question), timeout=TIMEOUT_S)
    except requests.RequestException as exc:
        where = question.url.partition("?")[0]
        said = f"{where} does not answer ({type(exc).__name__}). See the terminal of `make run`."
        return JSONResponse({"error": said}, 502)
    kind = answer.headers.get("content-type", "text/plain")
    return Response(answer.content, answer.status_code, media_type=kind)


async def _index(_: Request) -> Response:
    return FileResponse(STATIC / "index.html")


async def _workbooks(_: Request) -> Response:
    return JSONResponse(workbooks.names())


async def _workbook(request: Request) -> Response:
    path = workbooks.path(request.path_params["name"])
    if path is None:
        return JSONResponse({"error": "There is no such workbook. See GET /workbooks."}, 404)
    return FileResponse(path, media_type="application/json")
