"""A small Functions app for the tests of the local host: HTTP, queue outputs, a queue, a timer."""

# pyright: reportUnknownMemberType=false
# Because the library leaves **kwargs of its decorators untyped.

import asyncio
import json
import threading
import typing
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import azure.functions as func
import requests

from local.server import Running, serve
from standin.functions_host.host import LocalHost
from standin.functions_host.keys import Keys
from tests.fakes import FakeClock

KEY = "a-function-key-of-the-tests"
MASTER_KEY = "a-master-key-of-the-tests"
QUEUES = {"batchSize": 4, "newBatchThreshold": 2, "maxDequeueCount": 3}
HOST_JSON: Mapping[str, object] = {
    "version": "2.0",
    "extensions": {
        "http": {"routePrefix": ""},
        "queues": QUEUES | {"visibilityTimeout": "00:00:30", "maxPollingInterval": "00:00:05"},
    },
}
SETTINGS = {"WORK": "Work-Items", "EVERY_MINUTE": "0 * * * * *"}


@dataclass
class Seen:
    """What the functions of the app were given, and how they are to behave.

    gate: held shut, it keeps queue functions at work.
    """

    messages: list[tuple[str, bytes, int]] = field(default_factory=list[tuple[str, bytes, int]])
    ticks: list[func.TimerRequest] = field(default_factory=list[func.TimerRequest])
    contexts: list[func.Context] = field(default_factory=list[func.Context])
    fail_with: Exception | None = None
    at_work: int = 0
    most_at_work: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


def sample_app(seen: Seen) -> func.FunctionApp:
    """Build a fresh app, since an app object can be indexed once."""
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    for blueprint in (_answering(seen), _accepting(), _working(seen)):
        app.register_functions(blueprint)
    return app


def _answering(seen: Seen) -> func.Blueprint:
    bp = func.Blueprint()

    @bp.route(route="echo/{kind}/{number:int?}", auth_level=func.AuthLevel.ANONYMOUS)
    def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        seen.contexts.append(context)
        shown: dict[str, object] = {
            "method": req.method,
            "url": req.url,
            "headers": dict(req.headers),
            "params": dict(req.params),
            "route_params": dict(req.route_params),
            "body": req.get_body().hex(),
        }
        return func.HttpResponse(json.dumps(shown), mimetype="application/json")

    @bp.route(route="echo/fixed/1", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def fixed(req: func.HttpRequest) -> func.HttpResponse:
        await asyncio.sleep(0)
        return func.HttpResponse("fixed", headers={"X-One": "1"})

    @bp.route(route="nothing", auth_level=func.AuthLevel.ANONYMOUS)
    def nothing(req: func.HttpRequest):
        return None

    return bp


def _accepting() -> func.Blueprint:
    bp = func.Blueprint()

    @bp.route(route="work", methods=["POST"])
    @bp.queue_output(arg_name="out", queue_name="%WORK%", connection="AzureWebJobsStorage")
    def post_work(req: func.HttpRequest, out: func.Out[bytes]) -> func.HttpResponse:
        out.set(req.get_body())
        if req.params.get("then") == "fail":
            raise RuntimeError("asked to\nfail")
        return func.HttpResponse(status_code=202)

    @bp.route(route="many", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    @bp.queue_output(arg_name="out", queue_name="%WORK%", connection="AzureWebJobsStorage")
    def post_many(req: func.HttpRequest, out: func.Out[typing.List[str]]) -> func.HttpResponse:  # noqa: UP006 (the worker refuses list[str])
        out.set(req.get_json())
        return func.HttpResponse(status_code=202)

    return bp


def _working(seen: Seen) -> func.Blueprint:
    bp = func.Blueprint()

    @bp.queue_trigger(arg_name="msg", queue_name="%WORK%", connection="AzureWebJobsStorage")
    def do_work(msg: func.QueueMessage) -> None:
        with seen.lock:
            seen.at_work += 1
            seen.most_at_work = max(seen.most_at_work, seen.at_work)
            seen.messages.append((msg.id or "", msg.get_body(), msg.dequeue_count or 0))
        if not seen.gate.wait(10):
            raise TimeoutError("The gate stayed shut.")
        with seen.lock:
            seen.at_work -= 1
        if seen.fail_with:
            raise seen.fail_with

    @bp.timer_trigger(arg_name="timer", schedule="%EVERY_MINUTE%")
    def look(timer: func.TimerRequest) -> None:
        seen.ticks.append(timer)

    return bp


def sample_host(
    seen: Seen, clock: FakeClock, state: Path | None = None, *, shut: bool = False
) -> LocalHost:
    """Return a host of a fresh sample app; shut: queue functions wait for seen.gate."""
    if not shut:
        seen.gate.set()
    return LocalHost(
        sample_app(seen),
        host_json=HOST_JSON,
        settings=SETTINGS,
        state=state,
        keys=Keys(None, KEY, MASTER_KEY),
        clock=clock,
    )


class Site:
    """A served host, and shortcuts to it."""

    def __init__(self, url: str, host: LocalHost, seen: Seen) -> None:
        self.url = url
        self.host = host
        self.seen = seen

    def call(self, method: str, path: str, **options: typing.Any) -> requests.Response:
        return requests.request(method, self.url + path, timeout=10, **options)

    def reset(self) -> None:
        """Forget what the test before did."""
        self.seen.messages.clear()
        self.seen.ticks.clear()
        self.seen.contexts.clear()
        for queue in self.host.queues.names():
            for message in self.host.queues.peek(queue):
                self.host.queues.take(queue, message.id)

    def waiting(self) -> list[bytes]:
        return [message.body for message in self.host.queues.peek("work-items")]


@contextmanager
def serving(host: LocalHost) -> Generator[str, None, None]:
    """Serve the host; give the URL, and close everything in the end."""
    server: Running = serve(host.asgi)
    try:
        yield server.url
    finally:
        server.stop()
        host.close()
