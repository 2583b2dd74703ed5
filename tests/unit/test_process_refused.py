"""What Azure Monitor does not take is sent again, or set aside for a person."""

from datetime import datetime, timedelta

import pytest

from shared.errors import RetryLater
from shared.events.message import decode
from shared.rows import Exported, ExportLater, ExportRefused
from tests.factories import event
from tests.fakes import START
from tests.processing import CALLS, SENT, Bench, for_ids, message


@pytest.fixture
def bench() -> Bench:
    return Bench()


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
