"""Serves an ASGI app on a loopback port from a thread, until told to stop."""

import asyncio
import socket
import threading
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class Running:
    """A server at work."""

    url: str
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """Let requests at work end, then stop; returns when the port is free."""
        self.server.should_exit = True
        self.thread.join()


class _Announced(uvicorn.Server):
    """A server that says when it has its port."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def serve(app: ASGIApp, port: int = 0) -> Running:
    """Serve on 127.0.0.1; port 0 takes a free one. Returns once it answers.

    Raises:
        OSError: the port is taken, or the server did not start.
    """
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, lifespan="off", access_log=False
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
