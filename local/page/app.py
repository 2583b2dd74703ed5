"""Serves the page, and lets it ask what users ask: the HTTP API, the query API, the pager."""

from dataclasses import dataclass
from pathlib import Path

import requests
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

TIMEOUT_S = 30
INDEX = Path(__file__).parent / "index.html"


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the page's questions go. key: the function key, which never reaches the browser."""

    app_url: str
    key: str
    query_url: str
    pagerduty_url: str


def create_app(upstream: Upstream) -> Starlette:
    """Return the page; other hosts' pages cannot reach it through a name of their own."""

    def ask(question: requests.Request) -> Response:
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.send(session.prepare_request(question), timeout=TIMEOUT_S)
        except requests.RequestException as exc:
            said = f"{type(exc).__name__}: {question.url} does not answer."
            return Response(said, status_code=502)
        kind = answer.headers.get("content-type", "text/plain")
        return Response(answer.content, answer.status_code, media_type=kind)

    async def index(_: Request) -> Response:
        return FileResponse(INDEX)

    async def api(request: Request) -> Response:
        url = f"{upstream.app_url}{request.url.path}"
        headers = {"x-functions-key": upstream.key}
        question = requests.Request("GET", url, headers, params=dict(request.query_params))
        return await run_in_threadpool(ask, question)

    async def query(request: Request) -> Response:
        url = f"{upstream.query_url}/v1/workspaces/local/query"
        body = await request.body()
        headers = {"content-type": "application/json"}
        return await run_in_threadpool(ask, requests.Request("POST", url, headers, data=body))

    async def incidents(_: Request) -> Response:
        url = f"{upstream.pagerduty_url}/incidents"
        return await run_in_threadpool(ask, requests.Request("GET", url))

    return Starlette(
        routes=[
            Route("/", index),
            Route("/api/{rest:path}", api),
            Route("/query", query, methods=["POST"]),
            Route("/incidents", incidents),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )
