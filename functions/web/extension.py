"""The web extension: what Azure's worker asks of one, by Starlette's types and uvicorn.

The worker finds the classes by the metaclasses that record them. To import this module switches
every HTTP trigger of the app to forwarded requests: ask functions.web.switch first.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUntypedBaseClass=false
# Because azurefunctions.extensions.base has no types.

from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from azurefunctions.extensions import base
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functions.web.pairs import Pairs
from functions.web.switch import COORDINATOR, missing
from shared.errors import Misconfigured

KEEP_ALIVE_S = 600
"""Over the 74 to 80 s after which the host closes its idle connections: it never repeats a POST on
one that the server has closed."""

pairs = Pairs()


class RouteParameters(base.RequestSynchronizer):
    """Puts into the HTTP half what only the invocation knows."""

    def sync_route_params(self, request: Request, path_params: Mapping[str, str]) -> None:
        """Hand over the parameters of the path."""
        request.path_params.update(path_params)


class TrackedRequest(metaclass=base.RequestTrackerMeta):
    """Names to the worker the type of requests."""

    request_type = Request
    synchronizer = RouteParameters()


class TrackedResponse(metaclass=base.ResponseTrackerMeta):
    """Names to the worker the type of responses."""

    label = base.ResponseLabels.STANDARD
    response_type = Response


class WebApp(base.WebApp):
    """Takes what the host forwards."""

    def route(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take the place of the worker's own coordinator. func: the worker's handler, not called.

        Raises:
            Misconfigured: the worker is another than the one that this was written for.
        """
        worker = func.__globals__
        if lacking := missing(worker):
            raise Misconfigured(f"This worker has no {lacking}. Set HTTP_PROXYING=0.")
        coordinator: Any = worker[COORDINATOR]
        coordinator.get_http_request_async = pairs.invoked
        coordinator.set_http_response = pairs.answered
        return func

    def get_app(self) -> Callable[..., Any]:
        """Return the ASGI app."""
        return _app


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        scope["path_params"] = {}
        response = await pairs.forwarded(Request(scope, receive))
        await response(scope, receive, send)


class WebServer(base.WebServer):
    """Serves on the address that the worker announces to the host."""

    hostname: str
    port: int
    web_app: Callable[..., Any]

    async def serve(self) -> None:
        """Serve until the process ends."""
        config = uvicorn.Config(
            self.web_app,
            host=self.hostname,
            port=self.port,
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_S,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
        )
        await uvicorn.Server(config).serve()
