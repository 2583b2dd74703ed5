"""An endpoint on loopback that answers as agentmeter does, or as a test sets it."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Union, cast

from agentmeter_client import Meter

MAX_EVENTS = 1000
MAX_BODY_BYTES = 1_048_576


class Request(NamedTuple):
    """What came."""

    path: str
    headers: dict[str, str]
    events: list[dict[str, Any]]
    connection: int


class Reply(NamedTuple):
    """What goes back.

    wait_s: how long the client waits for it. then_close: end the connection without a word after.
    """

    status: int = 202
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    wait_s: float = 0.0
    then_close: bool = False


HANG_UP = "hang up"
HANG_UP_AFTER_TAKING = "hang up after taking"
Behaviour = Union[Reply, str]


class Endpoint:
    """Stores events once by source and id. `script` answers come first, then `behave` is asked.

    page: what GET answers, with 401 where it is None.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.events: dict[tuple[str, str], dict[str, Any]] = {}
        self.arrivals: Counter[tuple[str, str]] = Counter()
        self.script: deque[Behaviour] = deque()
        self.behave: Callable[[Request], Behaviour] = self.take
        self.page: Callable[[], bytes] | None = None
        self.over = threading.Event()
        self.port = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of the stored events of a kind, in order of arrival."""
        return [event["data"] for event in self.events.values() if event["type"] == kind]

    def take(self, request: Request) -> Reply:
        """Store the events, as the real endpoint does; data with `poison` is refused."""
        if len(request.events) > MAX_EVENTS:
            return Reply(413, body=b'{"error": "too many"}')
        rejected = [n for n, event in enumerate(request.events) if _is_poison(event)]
        self.store(e for e in request.events if not _is_poison(e))
        accepted = len(request.events) - len(rejected)
        if not rejected:
            return Reply(202, body=json.dumps({"accepted": accepted}).encode())
        named = [{"index": n, "id": request.events[n]["id"], "error": "bad"} for n in rejected]
        body = json.dumps({"accepted": accepted, "rejected": named}).encode()
        return Reply(207 if accepted else 400, body=body)

    def store(self, events: Iterable[dict[str, Any]]) -> None:
        for event in events:
            key = event["source"], event["id"]
            self.arrivals[key] += 1
            self.events.setdefault(key, event)

    def answer(self, request: Request) -> Behaviour:
        with self._lock:
            self.requests.append(request)
            behaviour = self.script.popleft() if self.script else self.behave(request)
            if behaviour == HANG_UP_AFTER_TAKING:
                self.store(request.events)
            return behaviour


def _is_poison(event: dict[str, Any]) -> bool:
    return "poison" in event["data"].values()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    endpoint: Endpoint


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  # narrower than declared
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        packed = headers.get("content-encoding") == "gzip"
        said = json.loads(gzip.decompress(body) if packed else body)
        events = cast("list[dict[str, Any]]", said if isinstance(said, list) else [said])
        request = Request(self.path, headers, events, self.client_address[1])
        behaviour = self.server.endpoint.answer(request)
        if isinstance(behaviour, str):
            self.close_connection = True
            return
        self.server.endpoint.over.wait(behaviour.wait_s)
        self.send_response(behaviour.status)
        for name, value in behaviour.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(behaviour.body)))
        self.end_headers()
        self.wfile.write(behaviour.body)
        self.close_connection = behaviour.then_close

    def do_GET(self) -> None:
        page = self.server.endpoint.page
        body = page() if page else b""
        self.send_response(200 if page else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(port: int = 0) -> Generator[Endpoint, None, None]:
    """Serve until the block ends."""
    endpoint = Endpoint()
    server = _Server(("127.0.0.1", port), _Handler)
    server.endpoint = endpoint
    endpoint.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.002,), daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def held_port() -> Generator[int, None, None]:
    """Hold a port for `serving`, at which nothing listens yet and no other process can."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def arrived(endpoint: Endpoint, meter: Meter, kind: str) -> list[dict[str, Any]]:
    """Return the data of a kind that arrived, without the durations, which must be there."""
    assert meter.flush(5)
    data = [dict(one) for one in endpoint.of(kind)]
    for one in data:
        assert 0 <= one.pop("duration_s") < 5
    return data


def send(meter: Meter, count: int = 1, operation: str = "step") -> None:
    """Record so many events."""
    for _ in range(count):
        meter.task(operation)


def balanced(meter: Meter) -> bool:
    """Say whether every recorded event is accounted for."""
    s = meter.stats()
    return s.recorded == s.sent + s.refused + s.dropped + s.waiting + s.spooled
