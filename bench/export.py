"""What sending events to Azure Monitor takes, beside Microsoft's exporter.

`python -m bench.export`. Both send the same rows to a server in another process, which takes them
all; what counts is the processor time of this one. Judge by the ratio.
"""

import gc
import json
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from time import process_time

from shared.adapters.azure.azure_monitor import AzureMonitorExporter
from shared.events.envelope import judge
from shared.events.types import LlmCall
from shared.pricing.price import load
from shared.rows import EventRow, Exported
from shared.usecases.processing.rows import event_row
from tests.breeze import AT, connection
from tests.factories import DATA, event
from tests.loopback import Reply, Request, loopback

ROUNDS = 9
REQUESTS = {500: 2, 25: 20, 1: 40}
"""Events of a request → requests in a round."""


def sink(line: Connection) -> None:
    """Take every item until the other end says that it is over."""
    with loopback(taken) as server:
        line.send(server.url)
        line.recv()


def taken(request: Request) -> Reply:
    count = len(request.json())
    return Reply(200, json.dumps({"itemsReceived": count, "itemsAccepted": count}).encode())


def rows(count: int) -> Sequence[EventRow]:
    """Return rows as processing makes them: every kind of event, and model calls more often."""
    kinds = ("llm.call", "llm.call", "llm.call", *DATA)
    given = [event(kinds[n % len(kinds)], n) for n in range(count)]
    events, _ = judge([{**one, "time": AT.isoformat()} for one in given], AT)
    prices = load("")
    costs = [prices.price(e.data, e.time) if isinstance(e.data, LlmCall) else None for e in events]
    return [event_row(e, cost, 1, AT) for e, cost in zip(events, costs, strict=True)]


def export_us(monitor: AzureMonitorExporter, sent: Sequence[EventRow]) -> float:
    """Return the processor time that each event took."""
    requests = REQUESTS[len(sent)]
    began = process_time()
    outcomes = [monitor.events(sent) for _ in range(requests)]
    took = process_time() - began
    assert all(isinstance(one, Exported) for each in outcomes for one in each)
    return took / requests / len(sent) * 1e6


def ratio(url: str, size: int) -> tuple[float, float, float]:
    """Return ours and theirs in µs an event, and the median of their quotients."""
    sent = rows(size)
    own, sdk = (AzureMonitorExporter(connection(url), all_by_sdk=by) for by in (False, True))
    gc.freeze()
    pairs = [(export_us(own, sent), export_us(sdk, sent)) for _ in range(ROUNDS + 1)][1:]
    ours, theirs = (median(side) for side in zip(*pairs, strict=True))
    return ours, theirs, median(a / b for a, b in pairs)


def main() -> None:
    context = get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=sink, args=(there,))
    server.start()
    url = here.recv()
    for size in REQUESTS:
        ours, theirs, part = ratio(url, size)
        told = (
            f"{size:3} a request: ours {ours:7.1f} µs an event, the SDK {theirs:7.1f}, {part:.3f}"
        )
        sys.stdout.write(f"{told} of it\n")
    here.send("over")
    server.join()


if __name__ == "__main__":
    main()
