"""The host's own routes, for operators, tests and the page; each asks for the key."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standin.functions_host.queues import Queues

MOST_MESSAGES = 10_000


def holds_key(request: Request, key: str) -> bool:
    """Tell whether the request shows the key, in x-functions-key or as ?code=; "" opens nothing."""
    given = request.headers.get("x-functions-key") or request.query_params.get("code", "")
    return bool(key) and hmac.compare_digest(given.encode(), key.encode())


class _Run(BaseModel):
    """The body of a request to run a function: the message of a queue function."""

    input: str = ""


class _Put(BaseModel):
    """A text for a queue."""

    to: str
    text: str


class _Replace(BaseModel):
    """The body of a request to replace a message by others, or by none."""

    id: str
    puts: list[_Put]


class Admin:
    """Answers about functions and queues."""

    def __init__(
        self, key: str, names: Sequence[str], run: Callable[[str, str], bool], queues: Queues
    ) -> None:
        """Answer about the functions of these names.

        run(name, text): run a queue or timer function; False if there is no such.
        """
        self._key = key
        self._names = list(names)
        self._run = run
        self._queues = queues

    def routes(self) -> list[Route]:
        """Return the routes, all below /admin."""
        return [
            Route("/admin/host/status", self.status, methods=["GET"]),
            Route("/admin/queues", self._keyed(self.depths), methods=["GET"]),
            Route("/admin/queues/{name}", self._keyed(self.messages), methods=["GET"]),
            Route("/admin/queues/{name}/replace", self._keyed(self.replace), methods=["POST"]),
            Route("/admin/functions/{name}", self._keyed(self.function), methods=["POST"]),
        ]

    def _keyed(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Ask for the key first."""

        async def keyed(request: Request) -> Response:
            if not holds_key(request, self._key):
                return Response(status_code=401)
            return await handler(request)

        return keyed

    async def status(self, _: Request) -> Response:
        """GET /admin/host/status."""
        return JSONResponse({"state": "Running", "functions": self._names})

    async def depths(self, _: Request) -> Response:
        """GET /admin/queues: how full each is."""
        counts = await asyncio.to_thread(self._queues.counts)
        return JSONResponse({"queues": {name: asdict(depth) for name, depth in counts.items()}})

    async def messages(self, request: Request) -> Response:
        """GET /admin/queues/{name}: the messages, oldest first."""
        name = request.path_params["name"]
        found = await asyncio.to_thread(self._queues.peek, name, MOST_MESSAGES)
        return JSONResponse(
            {
                "messages": [
                    {
                        "id": message.id,
                        "inserted_at": message.inserted_at.isoformat(),
                        "text": message.body.decode(errors="replace"),
                    }
                    for message in found
                ]
            }
        )

    async def replace(self, request: Request) -> Response:
        """POST /admin/queues/{name}/replace {"id", "puts": [{"to", "text"}]}: 404 if it is gone."""
        try:
            given = _Replace.model_validate_json(await request.body())
        except ValidationError:
            return Response(status_code=400)
        name, puts = request.path_params["name"], [(put.to, put.text) for put in given.puts]
        taken = await asyncio.to_thread(self._queues.take, name, given.id, puts)
        return Response(status_code=200 if taken else 404)

    async def function(self, request: Request) -> Response:
        """POST /admin/functions/{name} with {"input": text}: answers once it has run."""
        try:
            given = _Run.model_validate_json(await request.body() or b"{}")
        except ValidationError:
            return Response(status_code=400)
        known = await asyncio.to_thread(self._run, request.path_params["name"], given.input)
        return Response(status_code=202 if known else 404)
