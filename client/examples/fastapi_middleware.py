"""A middleware that reports every request of a FastAPI or Starlette service.

pip install agentmeter-client fastapi, then `app.add_middleware(MeterMiddleware, meter=Meter())`.
It speaks ASGI and imports neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from agentmeter_client import Meter

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class MeterMiddleware:
    """Measures each request until its answer is sent, streams included."""

    def __init__(self, app: App, meter: Meter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass everything on, and note the status on its way out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with self._meter.http_request(scope["method"], "unmatched") as request:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    request.status = message["status"]
                await send(message)

            try:
                await self._app(scope, receive, noting)
            finally:
                request.note(path=route_of(scope))


def route_of(scope: Message) -> str:
    """Return the route's pattern: paths are labels, and ids in them would make too many."""
    pattern = getattr(scope.get("route"), "path", None)
    if pattern is None and "endpoint" in scope:
        pattern = scope["path"]
        for name, value in scope.get("path_params", {}).items():
            pattern = pattern.replace(f"/{value}", f"/{{{name}}}", 1)
    return pattern or "unmatched"
