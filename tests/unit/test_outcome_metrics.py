"""agentmeter's own counters of what was posted, and what became of it."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from pydantic_core import to_json

from shared.errors import InvalidEvent, RetryLater
from shared.events.body import Limits
from shared.events.message import decode
from shared.invocation import Invocation, Span, running
from shared.pricing.price import load
from shared.rows import Exported, ExportLater
from shared.usecases.intake.ingest import Ingest
from shared.usecases.processing.process import Process, Stores
from tests.factories import event
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

JSON = {"content-type": "application/json"}
OWN = "agentmeter_"


class Bench:
    def __init__(self) -> None:
        self.series = MemorySeries()
        self.exporter = FakeExporter()
        stores = Stores(MemoryClaims(), self.series, MemoryLabels(), MemoryTraces())
        self.process = Process(stores, self.exporter, load(""), 200)
        self.ingest = Ingest(Limits())

    def post(self, *events: object) -> list[str]:
        return list(self.ingest.accept(to_json(events), JSON, START).messages)

    def counters(self) -> dict[str, Decimal]:
        """Return agentmeter's own, by name without prefix and label values."""
        return {
            " ".join((name.removeprefix(OWN), *(value for _, value in labels))): total
            for (name, labels), total in self.series.read().counters.items()
            if name.startswith(OWN)
        }


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_accepted_refused_duplicate_and_unpriced_are_counted_once(bench: Bench) -> None:
    odd = event(number=4, model="nobody-knows-this-one", count=5)
    posted = [event(number=1), event(number=1), odd, event(number=2, status=None), 7]
    (text,) = bench.post(*posted)
    for delivery in (1, 2):
        bench.process.run(text, delivery, START + timedelta(seconds=9))
    counters = bench.counters()
    assert counters["events_accepted_total"] == 3
    assert counters["events_refused_total wrong_value"] == 1
    assert counters["events_refused_total not_an_object"] == 1
    assert counters["events_duplicate_total"] == 1
    assert counters["calls_unpriced_total"] == 5
    assert counters["export_items_total exported"] == 2
    gauges = {name: value for (name, _, _), (_, value) in bench.series.read().gauges.items()}
    assert gauges["agentmeter_queue_age_seconds"] == 9


def test_a_request_without_a_right_event_is_counted_through_the_queue(bench: Bench) -> None:
    (text,) = bench.post(event(status=None))
    assert decode(text).events == []
    bench.process.run(text, 1, START)
    assert bench.counters() == {"events_refused_total wrong_value": 1}


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"{", JSON, "unreadable"),
        (b"{}", {"content-type": "text/plain"}, "unsupported_media"),
        (b"{}", {**JSON, "content-encoding": "br"}, "unsupported_media"),
        (b" " * 2_000_000, JSON, "too_large"),
        (b"", {**JSON, "transfer-encoding": "chunked"}, "chunked"),
    ],
)
def test_a_request_that_cannot_be_read_counts_as_one_refusal(
    bench: Bench, body: bytes, headers: dict[str, str], reason: str
) -> None:
    with pytest.raises(InvalidEvent) as caught:
        bench.ingest.accept(body, headers, START)
    (text,) = bench.ingest.count_refused(caught.value, START)
    bench.process.run(text, 1, START)
    assert bench.counters() == {f"events_refused_total {reason}": 1}


def test_a_split_batch_says_of_its_refusals_once(bench: Bench) -> None:
    letters = Random(1)
    noise = [event("error", n, message=letters.randbytes(3000).hex()) for n in range(60)]
    texts = bench.post(*noise, 7)
    assert len(texts) > 1
    assert [decode(text).refused for text in texts[:2]] == [{"not_an_object": 1}, {}]
    assert len({decode(text).batch for text in texts}) == len(texts)


def test_tries_that_azure_monitor_does_not_take_are_counted_each(bench: Bench) -> None:
    (text,) = bench.post(event(number=1), event(number=2))
    bench.exporter.event_outcome = lambda row: ExportLater("503")
    for delivery in (1, 2):
        with pytest.raises(RetryLater):
            bench.process.run(text, delivery, START)
    bench.exporter.event_outcome = lambda row: Exported()
    bench.process.run(text, 3, START)
    counters = bench.counters()
    assert counters["export_items_total later"] == 4
    assert counters["export_items_total exported"] == 2
    assert counters["events_accepted_total"] == 2


def test_an_event_without_a_trace_is_in_that_of_its_request(bench: Bench) -> None:
    host, own = Span("a" * 32, "b" * 16), Span("c" * 32, "d" * 16)
    traced = {**event(number=2), "traceparent": own.traceparent}
    with running(Invocation("post_events", "i", host, lambda: START)):
        (text,) = bench.post(event(number=1), traced)
    bench.process.run(text, 1, START)
    ids = [(row.operation_id, row.parent_id) for row in bench.exporter.event_rows]
    assert ids == [(host.trace_id, host.span_id), (own.trace_id, own.span_id)]
