"""Serves an ASGI app on a loopback port from a thread, until stopped."""

import asyncio
import socket
import threading
from dataclasses import dataclass

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.door import Door

GRACE_S = 2
"""What a request may take that is at work when the server stops."""

CUT_OFF = "The stack stops before this request is complete. Send it again once it runs."


@dataclass(frozen=True, slots=True)
class Running:
    """A server at work."""

    url: str
    server: uvicorn.Server
    thread: threading.Thread

    def ask_to_stop(self) -> None:
        """Take no more requests."""
        self.server.should_exit = True

    def stop(self) -> None:
        """Let requests at work end, for a moment, then stop; returns when the port is free."""
        self.ask_to_stop()
        self.thread.join()


class _Announced(uvicorn.Server):
    """A server that says when it has its port."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _Ending:
    """An app whose requests are answered 503 when the server cuts them off to stop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = list[str]()

        async def noted(message: Message) -> None:
            started.append(message["type"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            if started:
                raise
            await PlainTextResponse(CUT_OFF, 503, {"Retry-After": "5"})(scope, receive, send)


def serve(app: ASGIApp, port: int = 0) -> Running:
    """Serve on 127.0.0.1; port 0 takes a free one. Returns once it answers.

    Raises:
        OSError: the port is taken, or the server did not start.
    """
    config = uvicorn.Config(
        Door(_Ending(app)),
        host="127.0.0.1",
        port=port,
        log_config=None,
        lifespan="off",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Announced(config)
    thread = threading.Thread(target=_run, args=(server,), name=f"http-{port}", daemon=True)
    thread.start()
    while not server.ready.wait(0.02):
        if not thread.is_alive():
            raise OSError(f"Port {port} is taken. Stop what uses it, or set AGENTMETER_PORT.")
    taken = server.servers[0].sockets[0].getsockname()[1]
    return Running(f"http://127.0.0.1:{taken}", server, thread)


def _run(server: uvicorn.Server) -> None:
    """Run the server's own loop; uvicorn ends the thread with SystemExit when a port is taken."""
    try:
        asyncio.run(server.serve())
    except SystemExit:
        return
