"""The host's own routes, for operators, tests and the page; each asks for the key."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict

from pydantic import BaseModel, Field, ValidationError
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from standin.functions_host.keys import Keys
from standin.functions_host.queues import Queues

MOST_MESSAGES = 10_000


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


class _Key(BaseModel):
    """A key of a function."""

    value: str = Field(min_length=1)


class Admin:
    """Answers about functions, their keys, and queues."""

    def __init__(
        self,
        keys: Keys,
        names: Sequence[str],
        runnable: Collection[str],
        run: Callable[[str, str], object],
        queues: Queues,
    ) -> None:
        """Answer about the functions of these names.

        run(name, text): run one of the `runnable`, a queue or timer function.
        """
        self._runnable = runnable
        self._keys = keys
        self._names = list(names)
        self._run = run
        self._queues = queues

    def routes(self) -> list[Route]:
        """Return the routes, all below /admin."""
        return [
            Route("/admin/host/ping", _ping, methods=["GET", "POST"]),
            Route("/admin/host/status", self._keyed(self.status), methods=["GET"]),
            Route("/admin/queues", self._keyed(self.depths), methods=["GET"]),
            Route("/admin/queues/{name}", self._keyed(self.messages), methods=["GET"]),
            Route("/admin/queues/{name}/replace", self._keyed(self.replace), methods=["POST"]),
            Route("/admin/functions/{name}", self._keyed(self.function), methods=["POST"]),
            Route("/admin/functions/{name}/keys", self._keyed(self.keys), methods=["GET"]),
            Route(
                "/admin/functions/{name}/keys/{key}",
                self._keyed(self.key),
                methods=["PUT", "DELETE"],
            ),
        ]

    def _keyed(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Ask for the master key first."""

        async def keyed(request: Request) -> Response:
            if self._keys.is_master(request):
                return await handler(request)
            return Response(status_code=403 if self._keys.is_known(request) else 401)

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

    async def keys(self, request: Request) -> Response:
        """GET /admin/functions/{name}/keys: the function's own."""
        name = request.path_params["name"]
        if name not in self._names:
            return Response(status_code=404)
        own = self._keys.of(name).items()
        return JSONResponse({"keys": [{"name": key, "value": value} for key, value in own]})

    async def key(self, request: Request) -> Response:
        """PUT {"value"} or DELETE /admin/functions/{name}/keys/{key}."""
        name, key = request.path_params["name"], request.path_params["key"]
        if name not in self._names:
            return Response(status_code=404)
        if request.method == "DELETE":
            return Response(status_code=204 if self._keys.remove(name, key) else 404)
        try:
            given = _Key.model_validate_json(await request.body())
        except ValidationError:
            return Response(status_code=400)
        is_new = self._keys.put(name, key, given.value)
        return JSONResponse({"name": key, "value": given.value}, 201 if is_new else 200)

    async def function(self, request: Request) -> Response:
        """POST /admin/functions/{name} with {"input": text}: 202 before it runs."""
        try:
            given = _Run.model_validate_json(await request.body() or b"{}")
        except ValidationError:
            return Response(status_code=400)
        name = request.path_params["name"]
        if name not in self._runnable:
            return Response(status_code=404)
        run = BackgroundTask(self._run, name, given.input)
        return Response(status_code=202, background=run)


async def _ping(_: Request) -> Response:
    """GET or POST /admin/host/ping: open, for who watches whether the host is alive."""
    return Response()
