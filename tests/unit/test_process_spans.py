from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.errors import RetryLater
from shared.events.message import decode, pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Span
from shared.pricing.price import load
from shared.rows import EventRow, Exported, ExportLater, ExportOutcome, ExportRefused, SpanRow
from shared.usecases.processing.process import Process, Stores
from shared.usecases.processing.processed import Processed
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces
from tests.spans import AGENT, CHAT, TOOL, span

CHAIN = {"openinference.span.kind": "CHAIN"}
INPUT, OUTPUT = "microsoft.gen_ai.cost.input", "microsoft.gen_ai.cost.output"


class Bench:
    """A processor with everything that it works on."""

    def __init__(self) -> None:
        self.exporter = FakeExporter()
        self.series = MemorySeries()
        stores = Stores(MemoryClaims(), self.series, MemoryLabels(), MemoryTraces())
        self.process = Process(stores, self.exporter, load(""), 200)

    def run(self, text: str, delivery: int = 1) -> Processed:
        return self.process.run(text, delivery, START)

    def numbers(self) -> list[str]:
        """Return the last digit of the id of each span that was written."""
        return [row.span_id[-1] for row in self.exporter.span_rows]

    def outcomes(self) -> dict[str, Decimal]:
        counters = self.series.read().counters
        return {
            dict(labels)["outcome"]: amount
            for (name, labels), amount in counters.items()
            if name == "agentmeter_spans_total"
        }


@pytest.fixture
def bench() -> Bench:
    return Bench()


def message(*spans: Span) -> str:
    (text,) = pack_parcels(read_spans(spans, START, 0).parcels, START)
    return text


def for_span(number: int, outcome: ExportOutcome) -> Callable[[SpanRow], ExportOutcome]:
    return lambda row: outcome if row.span_id == f"{number:016x}" else Exported()


WORK = (span(AGENT, 1, kind="internal"), span(CHAT, 2, 1), span(TOOL, 3, 1), span(CHAIN, 4, 1))


def test_spans_are_written_with_their_ids_and_the_cost_of_their_call(bench: Bench) -> None:
    bench.run(message(*WORK))
    assert sorted(bench.numbers()) == ["1", "2", "3", "4"]
    row = next(row for row in bench.exporter.span_rows if row.span_id[-1] == "2")
    assert (row.trace_id, row.parent_id) == (WORK[1].trace_id, WORK[0].span_id)
    assert (row.time, row.duration) == (START - timedelta(seconds=1.5), timedelta(seconds=1.5))
    assert (row.role, row.client, row.failed) == ("checkout", True, False)
    assert (row.text["gen_ai.system"], row.text["gen_ai.usage.input_tokens"]) == ("openai", "1000")
    assert (row.text[INPUT], row.text[OUTPUT]) == ("0.00250000", "0.00100000")
    assert bench.outcomes() == {"exported": 4}


def test_the_parts_of_a_cost_add_up_to_it(bench: Bench) -> None:
    cached = {"gen_ai.usage.cache_read.input_tokens": 900, "gen_ai.usage.reasoning_tokens": 50}
    bench.run(message(span({**CHAT, **cached})))
    (row,), (event,) = bench.exporter.span_rows, bench.exporter.event_rows
    assert Decimal(row.text[INPUT]) == Decimal("0.001375")
    assert float(Decimal(row.text[INPUT]) + Decimal(row.text[OUTPUT])) == event.numbers["cost_usd"]


def test_an_unknown_cost_is_no_number(bench: Bench) -> None:
    bench.run(message(span({**CHAT, "gen_ai.request.model": "house-model"})))
    (row,) = bench.exporter.span_rows
    assert INPUT not in row.text
    assert row.text["agentmeter.cost_status"] == "unknown"


def test_a_request_that_comes_again_writes_no_span_again(bench: Bench) -> None:
    bench.run(message(*WORK))
    result = bench.run(message(*WORK))
    assert (result.exported, result.duplicates) == (0, 3)
    assert len(bench.numbers()) == 4
    assert bench.outcomes() == {"exported": 4, "duplicate": 4}


def test_the_span_of_a_call_that_another_span_reported_is_not_written(bench: Bench) -> None:
    one_call = {**CHAT, "gen_ai.response.id": "chatcmpl-0123456789abcdef0123"}
    bench.run(message(span(one_call, 1)))
    bench.run(message(span(one_call, 2)))
    assert bench.numbers() == ["1"]


def test_a_redelivery_sends_only_the_spans_that_were_not_taken(bench: Bench) -> None:
    text = message(*WORK)
    bench.exporter.span_outcome = for_span(3, ExportLater("busy", 7))
    with pytest.raises(RetryLater, match="busy") as caught:
        bench.run(text)
    assert caught.value.retry_after_s == 7
    assert sorted(bench.numbers()) == ["1", "2", "4"]
    bench.exporter.span_outcome = lambda row: Exported()
    bench.run(text, 2)
    assert sorted(bench.numbers()) == ["1", "2", "3", "4"]
    assert len(bench.exporter.event_rows) == 3
    assert bench.outcomes() == {"exported": 4}
    bench.run(text, 3)
    assert len(bench.numbers()) == 4
    assert bench.outcomes() == {"exported": 4}


def test_a_span_that_is_refused_for_good_does_not_hold_up_its_event(bench: Bench) -> None:
    bench.exporter.span_outcome = for_span(2, ExportRefused(400, "no"))
    result = bench.run(message(*WORK))
    assert (result.exported, result.refused) == (3, ())
    assert bench.outcomes() == {"exported": 3, "refused": 1}


def test_the_span_of_a_refused_event_is_refused_with_it(bench: Bench) -> None:
    def no_calls(row: EventRow) -> ExportOutcome:
        return ExportRefused(400, "no") if row.name == "llm.call" else Exported()

    bench.exporter.event_outcome = no_calls
    result = bench.run(message(*WORK))
    assert [len(decode(text).events) for text in result.refused] == [1]
    assert sorted(bench.numbers()) == ["1", "3", "4"]
    assert bench.outcomes() == {"exported": 3, "refused": 1}


def test_an_old_span_is_written_at_the_nearest_time_that_is_taken(bench: Bench) -> None:
    text = message(span(CHAT))
    bench.process.run(text, 1, START + timedelta(days=3))
    (row,) = bench.exporter.span_rows
    assert row.time == START + timedelta(days=3) - timedelta(hours=47)


def test_spans_without_any_event_are_written_once_as_well(bench: Bench) -> None:
    for _ in range(2):
        bench.run(message(span(CHAIN, 1), span(CHAIN, 2, 1)))
    assert bench.numbers() == ["1", "2"]
