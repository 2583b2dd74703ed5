from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.alerting.count_fast import CountFast
from shared.alerting.fast import FastCondition
from shared.alerting.judge_fast import reach_of
from shared.alerting.tallies import NO_TALLIES, Tallies
from shared.errors import RetryLater
from shared.events.envelope import judge
from shared.events.message import beat, decode, pack
from shared.events.types import LlmCall
from shared.metrics.points import Point
from shared.pricing.cost import Cost
from shared.rows import EventRow, Exported, ExportLater, ExportOutcome, ExportRefused
from shared.usecases.processing.process import Process, Stores
from tests.factories import event
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

FAST = FastCondition.model_validate({"event": "llm.call", "rate": "> 1 / s"})


class CentPerCall:
    """Prices every call at a cent, those of the model `new` not at all."""

    def price(self, call: LlmCall, at: datetime) -> Cost:
        if call.model == "new":
            return Cost(None, "unknown", "no price")
        return Cost(Decimal("0.01") * call.count, "known", "a cent")


class Mortal(MemorySeries):
    """Totals at which the process dies when told to: before or behind the export."""

    dies = ""

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        if self.dies == ("totals" if batch_id.endswith(" totals") else "done"):
            raise ZeroDivisionError
        return super().apply(batch_id, points, at, tallies)


class Bench:
    """A processor with everything that it works on."""

    def __init__(self, label_max_values: int = 200, series_max: int = 2000) -> None:
        self.exporter = FakeExporter()
        self.claims = MemoryClaims()
        self.series = Mortal()
        traces = MemoryTraces()
        stores = Stores(self.claims, self.series, MemoryLabels(), traces)
        most = (label_max_values, series_max)
        count = CountFast([FAST])
        self.process = Process(stores, self.exporter, CentPerCall(), *most, lambda now: count)

    def tallied(self) -> float:
        """Return how many calls the fast condition has seen."""
        tallies = self.series.tallies(NOON)
        return sum(n for t in tallies.values() for n, _ in t.sums.values())

    def total(self, metric: str) -> Decimal:
        counters = self.series.read().counters
        return sum((v for (name, _), v in counters.items() if name == metric), Decimal(0))

    def outcomes(self) -> dict[str, Decimal]:
        counters = self.series.read().counters
        found: dict[str, Decimal] = {}
        for (name, labels), amount in counters.items():
            if name == "agentmeter_events_total":
                outcome = dict(labels)["outcome"]
                found[outcome] = found.get(outcome, Decimal(0)) + amount
        return found

    def ids(self) -> list[str]:
        return [row.text["id"] for row in self.exporter.event_rows]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def message(*given: dict[str, Any], now: datetime = START) -> str:
    events, refused = judge(given, now)
    assert refused == []
    (text,) = pack(events, now)
    return text


def for_ids(*ids: str, outcome: ExportOutcome) -> Callable[[EventRow], ExportOutcome]:
    return lambda row: outcome if row.text["id"] in ids else Exported()


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CALLS = [{**event(number=n), "time": "2026-11-23T12:29:50Z"} for n in range(3)]
SENT = [f"llm.call-{n}" for n in range(3)]


def test_each_event_becomes_a_row_and_adds_to_the_totals(bench: Bench) -> None:
    result = bench.process.run(message(*CALLS), 1, START)
    assert (result.exported, result.duplicates, result.refused) == (3, 0, ())
    assert bench.ids() == SENT
    assert bench.total("llm_cost_usd_total") == Decimal("0.03")
    assert bench.outcomes() == {"exported": 3}


def test_a_row_holds_texts_and_numbers_with_the_price(bench: Bench) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    given = {**event(team_id="red", response_id="r1"), "traceparent": trace}
    bench.process.run(message(given), 1, START)
    (row,) = bench.exporter.event_rows
    assert (row.name, row.time) == ("llm.call", datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert row.operation_id == "0af7651916cd43dd8448eb211c80319c"
    assert row.parent_id == "b7ad6b7169203331"
    assert row.text == {
        **{"id": "llm.call-0", "source": "tests", "team_id": "red", "status": "success"},
        **{"provider": "openai", "model": "gpt-4", "response_id": "r1"},
        **{"cost_status": "known", "cost_source": "a cent"},
    }
    assert row.numbers == {
        **{"count": 1.0, "duration_s": 1.5, "cost_usd": 0.01},
        **{"input_tokens": 1000.0, "output_tokens": 100.0},
    }


def test_an_unknown_price_is_no_number(bench: Bench) -> None:
    bench.process.run(message(event(model="new")), 1, START)
    (row,) = bench.exporter.event_rows
    assert "cost_usd" not in row.numbers
    assert row.text["cost_status"] == "unknown"
    assert bench.total("llm_cost_usd_total") == 0


def test_a_repeat_of_an_event_counts_once(bench: Bench) -> None:
    bench.process.run(message(*CALLS), 1, START)
    again = [{**CALLS[0], "time": "2026-11-22T01:00:00Z"}, CALLS[1], event(number=9)]
    result = bench.process.run(message(*again), 1, START)
    assert (result.exported, result.duplicates) == (1, 2)
    assert bench.ids() == [*SENT, "llm.call-9"]
    assert bench.outcomes() == {"exported": 4, "duplicate": 2}


def test_an_event_twice_in_one_message_counts_once(bench: Bench) -> None:
    result = bench.process.run(message(CALLS[0], CALLS[0]), 1, START)
    assert (result.exported, result.duplicates) == (1, 1)
    assert bench.outcomes() == {"exported": 1, "duplicate": 1}


def test_two_instrumentations_of_one_call_count_once(bench: Bench) -> None:
    one, two = (event(number=n, response_id="resp-1") for n in (1, 2))
    three = event(number=3, response_id="resp-1", provider="anthropic")
    assert bench.process.run(message(one, two), 1, START).exported == 1
    assert bench.process.run(message(two), 1, START).exported == 0
    assert bench.process.run(message(three), 1, START).exported == 1


def test_a_message_that_comes_again_after_its_end_does_nothing(bench: Bench) -> None:
    text = message(*CALLS)
    bench.process.run(text, 1, START)
    assert bench.process.run(text, 2, START).exported == 0
    assert bench.ids() == SENT
    assert bench.outcomes() == {"exported": 3}


def died(bench: Bench, text: str, delivery: int, at: str) -> None:
    bench.series.dies = at
    with pytest.raises(ZeroDivisionError):
        bench.process.run(text, delivery, START)
    bench.series.dies = ""


def test_a_crash_before_the_totals_leaves_nothing(bench: Bench) -> None:
    text = message(*CALLS)
    died(bench, text, 1, "totals")
    assert (bench.ids(), bench.tallied()) == ([], 0)
    bench.process.run(text, 2, START)
    assert (bench.ids(), bench.tallied()) == (SENT, 3)
    assert bench.outcomes() == {"exported": 3}


def test_a_crash_behind_the_export_repeats_rows_that_say_so(bench: Bench) -> None:
    text = message(*CALLS)
    died(bench, text, 1, "done")
    bench.process.run(text, 2, START)
    assert bench.ids() == SENT * 2
    assert [row.numbers.get("attempt") for row in bench.exporter.event_rows] == [None] * 3 + [2] * 3
    assert (bench.total("llm_cost_usd_total"), bench.tallied()) == (Decimal("0.03"), 3)
    assert bench.process.run(text, 3, START).exported == 0
    assert len(bench.ids()) == 6


def test_an_outage_of_azure_monitor_hides_nothing_from_tallies(bench: Bench) -> None:
    text = message(*CALLS)
    bench.exporter.event_outcome = lambda row: ExportLater("503")
    for delivery in (1, 2, 3):
        with pytest.raises(RetryLater):
            bench.process.run(text, delivery, START)
        assert (bench.tallied(), bench.total("llm_api_calls_total")) == (3, 3)
    bench.exporter.event_outcome = lambda row: Exported()
    bench.process.run(text, 4, START)
    assert (bench.ids(), bench.tallied(), bench.total("llm_api_calls_total")) == (SENT, 3, 3)
    assert bench.outcomes() == {"exported": 3}


def test_a_heartbeat_tells_how_far_the_queue_is(bench: Bench) -> None:
    bench.process.run(beat(START), 1, START + timedelta(seconds=4))
    (row,) = bench.exporter.event_rows
    assert (row.name, row.time, row.text) == ("agentmeter.heartbeat", START, {})
    assert reach_of(bench.series.tallies(NOON)) == START
    assert bench.outcomes() == {}
    bench.exporter.event_outcome = lambda row: ExportLater("503")
    with pytest.raises(RetryLater):
        bench.process.run(beat(START), 1, START + timedelta(minutes=29))
    assert bench.process.run(beat(START), 1, START + timedelta(minutes=30)).again == ()


def test_what_azure_monitor_did_not_take_is_sent_again_and_only_that(bench: Bench) -> None:
    text = message(*CALLS)
    bench.exporter.event_outcome = for_ids("llm.call-1", outcome=ExportLater("429", 7))
    with pytest.raises(RetryLater, match="429") as caught:
        bench.process.run(text, 1, START)
    assert caught.value.retry_after_s == 7
    assert bench.outcomes() == {}
    bench.exporter.event_outcome = lambda row: Exported()
    bench.process.run(text, 2, START)
    assert sorted(bench.ids()) == SENT
    assert bench.outcomes() == {"exported": 3}


def test_a_refused_event_is_set_aside_and_its_neighbours_count(bench: Bench) -> None:
    bench.exporter.event_outcome = for_ids("llm.call-1", outcome=ExportRefused(400, "too big"))
    result = bench.process.run(message(*CALLS), 1, START)
    assert (result.exported, len(result.refused)) == (2, 1)
    aside = decode(result.refused[0])
    assert (aside.note, [e.id for e in aside.events]) == ("too big", ["llm.call-1"])
    assert bench.outcomes() == {"exported": 2, "refused": 1}
    assert (bench.total("llm_api_calls_total"), bench.tallied()) == (3, 3)


def test_a_refused_event_is_set_aside_although_the_process_vanished_meanwhile(
    bench: Bench,
) -> None:
    bench.exporter.event_outcome = for_ids("llm.call-1", outcome=ExportRefused(400, "too big"))
    text = message(*CALLS)
    bench.process.run(text, 1, START)  # and the host dies before it stores result.refused
    result = bench.process.run(text, 2, START)
    assert [e.id for e in decode(result.refused[0]).events] == ["llm.call-1"]
    assert bench.ids() == ["llm.call-0", "llm.call-2"]
    assert bench.outcomes() == {"exported": 2, "refused": 1}


def test_what_was_set_aside_counts_once_when_it_is_replayed(bench: Bench) -> None:
    bench.exporter.event_outcome = for_ids("llm.call-1", outcome=ExportRefused(400, "too big"))
    aside = bench.process.run(message(*CALLS), 1, START).refused[0]
    bench.exporter.event_outcome = lambda row: Exported()
    assert bench.process.run(aside, 1, START).exported == 1
    assert sorted(bench.ids()) == SENT
    assert (bench.total("llm_api_calls_total"), bench.tallied()) == (3, 3)
    assert bench.process.run(aside, 2, START).exported == 0


@pytest.mark.parametrize(
    ("time", "exported"),
    [
        pytest.param("2026-11-20T00:00:00Z", START - timedelta(hours=47), id="old"),
        pytest.param("2026-11-24T00:00:00Z", START + timedelta(hours=1), id="ahead"),
    ],
)
def test_a_time_that_azure_refuses_is_kept_and_moved(
    bench: Bench, time: str, exported: datetime
) -> None:
    bench.process.run(message({**event(), "time": time}), 1, START)
    (row,) = bench.exporter.event_rows
    assert row.time == exported
    assert row.text["occurred_at"] == time.replace("Z", "+00:00")


def test_a_label_with_too_many_values_becomes_other() -> None:
    bench = Bench(label_max_values=10)
    errors = [event("error", n, component=f"c{n}") for n in range(25)]
    bench.process.run(message(*errors), 1, START)
    counters = bench.series.read().counters
    components = {dict(k[1])["component"]: v for k, v in counters.items() if k[0] == "errors_total"}
    assert len(components) == 9  # a sender fills three quarters of the room
    assert components["other"] == 17
    assert bench.total("agentmeter_labels_capped_total") == 17


def test_a_metric_with_too_many_series_counts_the_rest_as_other_and_no_event_is_lost() -> None:
    bench = Bench(series_max=10)
    for number in range(5):
        calls = [event(number=n, model=f"m{n}") for n in range(number * 5, number * 5 + 5)]
        bench.process.run(message(*calls), 1, START)
    counters = bench.series.read().counters
    calls = {k[1]: v for k, v in counters.items() if k[0] == "llm_api_calls_total"}
    assert len(calls) == 9
    rest = (("provider", "other"), ("model", "other"), ("status", "other"))
    assert calls[rest] == 17
    assert sum(calls.values()) == 25
    said = (("metric", "llm_api_calls_total"),)
    assert counters["agentmeter_series_capped_total", said] == 17
