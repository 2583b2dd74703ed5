from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.alerting.judge_fast import reach_of
from shared.errors import RetryLater
from shared.events.message import beat
from shared.rows import Exported, ExportLater
from tests.factories import event
from tests.fakes import START
from tests.processing import CALLS, NOON, SENT, Bench, message


@pytest.fixture
def bench() -> Bench:
    return Bench()


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


def test_a_heartbeat_says_how_far_the_queue_is(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    bench.process.run(beat(START), 1, START + timedelta(seconds=4))
    assert caplog.messages == []
    (row,) = bench.exporter.event_rows
    assert (row.name, row.time, row.text) == ("agentmeter.heartbeat", START, {})
    assert reach_of(bench.series.tallies(NOON), START) == START
    assert bench.outcomes() == {}
    bench.exporter.event_outcome = lambda row: ExportLater("503")
    with pytest.raises(RetryLater):
        bench.process.run(beat(START), 1, START + timedelta(minutes=29))
    assert bench.process.run(beat(START), 1, START + timedelta(minutes=30)).again == ()


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
