"""A programmable HTTP server on loopback, for the clients of services that we do not own."""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON, unpacked where it came packed."""
        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Behaviour = Reply | Literal["hang up", "silence"]


@dataclass(frozen=True, slots=True)
class Loopback:
    """A server at work. received: every request, in order of arrival."""

    port: int
    received: list[Request]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, behave: Callable[[Request], Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave = behave
        self.received: list[Request] = []
        self.over = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  # narrower than declared
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, each reply takes 40 ms

    def do_POST(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = self.requestline.split(" ")[1]  # self.path hides a doubled slash
        request = Request(path, headers, body)
        self.server.received.append(request)
        self._act(self.server.behave(request))

    do_GET = do_PUT = do_DELETE = do_POST

    def _body(self) -> bytes:
        """Read the body, in chunks as OpenTelemetry's exporters for Node.js send it."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _act(self, behaviour: Behaviour) -> None:
        if isinstance(behaviour, Reply):
            self._answer(behaviour)
            return
        if behaviour == "silence":
            self.server.over.wait(30)
        self.close_connection = True

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the tests look at what the clients log."""


@contextmanager
def absent() -> Generator[Loopback]:
    """Hold a port at which nothing listens, so that no other process takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield Loopback(held.getsockname()[1], [])


@contextmanager
def loopback(
    behave: Callable[[Request], Behaviour], tls: ssl.SSLContext | None = None
) -> Generator[Loopback]:
    """Serve until the block ends; `behave` is asked for each request, in a thread of its own."""
    server = _Server(behave)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.002,), daemon=True)
    thread.start()
    try:
        yield Loopback(server.server_address[1], server.received)
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
