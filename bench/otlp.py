"""What taking a span over OTLP costs, beside taking the same model call as JSON.

`python -m bench`. Both are 500 a request, validated and packed into queue messages.
"""

import gc
from dataclasses import replace
from datetime import UTC, datetime

from pydantic_core import to_json

from bench.measured import ROUNDS, Measured, compared, cpu_us
from shared.adapters.otlp.traces import read_traces
from shared.events.body import Limits
from shared.events.otlp.media import PROTOBUF
from shared.events.unpack import Sizes
from shared.usecases.intake.ingest import Ingest
from shared.usecases.intake.otlp import TakeOtlp
from tests.factories import event
from tests.spans import CHAT, span, wire

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
COUNT = 500
HEADERS = {"content-type": "application/json"}
ROOM = Sizes(2**30, 2**30, "", "")


def measure() -> list[Measured]:
    """Take as many calls on each way, in turns."""
    calls = to_json([event(number=number) for number in range(COUNT)])
    ids = (f"{number:032x}" for number in range(1, COUNT + 1))
    spans = [replace(span(CHAT), trace_id=trace_id) for trace_id in ids]
    body = wire(spans).SerializeToString()
    ingest, otlp = Ingest(Limits()), TakeOtlp(read_traces, ROOM, 0)

    def as_span() -> None:
        assert otlp.accept(body, {}, PROTOBUF, NOW).events == COUNT

    def as_json() -> None:
        assert ingest.accept(calls, HEADERS, NOW).accepted == COUNT

    gc.collect()
    gc.freeze()  # as a function does once it has started
    pairs = [(cpu_us(as_span, COUNT), cpu_us(as_json, COUNT)) for _ in range(ROUNDS)]
    return [
        Measured(
            "a span over OTLP, 500 a request", "call", "JSON event", *compared(pairs), 2.5, 1.5
        )
    ]
