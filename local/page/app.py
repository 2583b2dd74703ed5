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

TIMEOUT_S = 30
STATIC = Path(__file__).parent / "static"
JSON_BODY = {"content-type": "application/json"}

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the page's questions go. key, master_key: they never reach the browser.

    described: the file that holds the key, for a person's own commands.
    """

    app_url: str
    key: str
    master_key: str
    query_url: str
    pagerduty_url: str
    described: str = ""


def create_app(upstream: Upstream) -> Starlette:
    """Return the page.

    GET /api/…, POST and DELETE of silences, POST of verdicts: the app's API. POST /query: the
    query API. GET /incidents, /pages: the pager's. GET /queues: the host's. GET /workbooks: the
    names of the generated workbooks; /workbooks/{name}: one of them. GET /stack: where to send the
    first event, and which file has the key.
    """
    to_app = _passing(upstream.app_url, {"x-functions-key": upstream.key})
    to_host = _passing(upstream.app_url, {"x-functions-key": upstream.master_key})
    to_query = _renamed(_passing(upstream.query_url), "/v1/workspaces/local/query")
    to_pager = _passing(upstream.pagerduty_url)
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
            Route("/stack", _telling(upstream), methods=["GET"]),
            Route("/workbooks", _workbooks, methods=["GET"]),
            Route("/workbooks/{name}", _workbook, methods=["GET"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard)],
    )


def _passing(base: str, headers: Mapping[str, str] | None = None) -> Handler:
    """Return a handler that asks the server at `base` the same, and gives its answer."""

    async def passed(request: Request) -> Response:
        path = request.scope.get("asked", request.scope["raw_path"].decode())
        question = requests.Request(
            request.method,
            f"{base}{path}",
            {**(headers or {}), **JSON_BODY},
            params=list(request.query_params.multi_items()),
            data=await request.body(),
        )
        return await run_in_threadpool(_ask, question)

    return passed


def _telling(upstream: Upstream) -> Handler:
    """Return a handler that tells where the API is, and which file has its key."""

    async def told(_: Request) -> Response:
        return JSONResponse({"app_url": upstream.app_url, "described": upstream.described})

    return told


def _renamed(handler: Handler, path: str) -> Handler:
    """Return the handler for a path that has another name behind this server."""

    async def renamed(request: Request) -> Response:
        request.scope["asked"] = path
        return await handler(request)

    return renamed


def _ask(question: requests.Request) -> Response:
    """Ask, and answer 502 in JSON where nobody does."""
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
