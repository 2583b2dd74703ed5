"""What sending events to Azure Monitor takes, beside Microsoft's exporter.

`python -m bench.export`. Both send the same rows to a server in another process, which takes them
all; what counts is the processor time of this one. Judge by the ratio.
"""

import gc
import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from bench.measured import ROUNDS, Measured, compared, cpu_us
from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.events.envelope import judge
from shared.events.types import LlmCall
from shared.pricing.price import load
from shared.rows import EventRow, Exported
from shared.usecases.processing.rows import event_row
from tests.breeze import AT, connection
from tests.factories import DATA, event
from tests.loopback import Reply, Request, loopback

REQUESTS = {500: 2, 25: 20, 1: 40}
"""Events of a request → requests in a round."""
TARGETS = {500: (0.2, 0.1)}
KINDS = ("llm.call", "llm.call", "llm.call", *DATA)
"""Every kind, and model calls more often: about what a fleet sends."""


@contextmanager
def taking() -> Generator[str]:
    """Yield the address of a server, in another process, that takes every item."""
    context = get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_take, args=(there,))
    server.start()
    try:
        yield here.recv()
    finally:
        here.send("over")
        server.join()


def _take(line: Connection) -> None:
    with loopback(_taken) as server:
        line.send(server.url)
        line.recv()


def _taken(request: Request) -> Reply:
    count = len(request.json())
    return Reply(200, json.dumps({"itemsReceived": count, "itemsAccepted": count}).encode())


def rows(count: int) -> Sequence[EventRow]:
    """Return rows as processing makes them."""
    given = [event(KINDS[n % len(KINDS)], n) for n in range(count)]
    events, _ = judge([{**one, "time": AT.isoformat()} for one in given], AT)
    prices = load("")
    costs = [prices.price(e.data, e.time) if isinstance(e.data, LlmCall) else None for e in events]
    return [event_row(e, cost, 1, AT) for e, cost in zip(events, costs, strict=True)]


def export_us(monitor: AzureMonitorExporter, sent: Sequence[EventRow]) -> float:
    """Return the processor time that each event took."""
    requests = REQUESTS[len(sent)]

    def send() -> None:
        for _ in range(requests):
            assert all(isinstance(outcome, Exported) for outcome in monitor.events(sent))

    return cpu_us(send, requests * len(sent))


def measure(url: str) -> list[Measured]:
    """Compare the exporters at each size of a request."""
    own, sdk = (AzureMonitorExporter(connection(url), all_by_sdk=by) for by in (False, True))
    made: list[Measured] = []
    for size in REQUESTS:
        sent = rows(size)
        gc.freeze()
        pairs = [(export_us(own, sent), export_us(sdk, sent)) for _ in range(ROUNDS)]
        what = f"export, {size} a request"
        made.append(
            Measured(what, "event", "SDK export()", *compared(pairs), *TARGETS.get(size, ()))
        )
    return made


def main() -> None:
    with taking() as url:
        for one in measure(url):
            sys.stdout.write(
                f"{one.what:24} {one.ours:8.1f} µs, {one.theirs:8.1f}, {one.ratio:.3f}\n"
            )


if __name__ == "__main__":
    main()
