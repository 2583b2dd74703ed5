import base64
import gzip
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.errors import GiveUp, Misconfigured, RetryLater
from shared.events.message import MAX_MESSAGE_CHARS, decode, encode, pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.events.split import halves, singles
from shared.rows import EventRow, Exported, ExportOutcome
from shared.usecases.processing.narrow import Narrowing
from shared.usecases.processing.processed import Processed
from shared.usecases.processing.requeue import LAST_DELIVERY, Patient
from tests.factories import event
from tests.fakes import START
from tests.processing import Bench, message
from tests.spans import CHAT, span

CALLS = [event(number=n) for n in range(9)]
Deliveries = list[tuple[str, int]]


class Fault(Exception):
    """What no code expects."""


def drain(run: Any, *texts: str) -> list[str]:
    """Hand messages over as the host does, until none is left; return the poison queue."""
    waiting: Deliveries = [(text, 1) for text in texts]
    poison: list[str] = []
    while waiting:
        text, delivery = waiting.pop(0)
        try:
            result: Processed = run(text, delivery, START)
        except Exception:  # noqa: BLE001 - the host catches all
            if delivery == LAST_DELIVERY:
                poison.append(text)
            else:
                waiting.append((text, delivery + 1))
            continue
        poison += result.refused
        waiting += [(again, 1) for again in result.again]
    return poison


def poisoned_by(*ids: str) -> Any:
    """Return an answer of the exporter that fails at rows of these events."""

    def outcome(row: EventRow) -> ExportOutcome:
        if row.text["id"] in ids:
            raise Fault(row.text["id"])
        return Exported()

    return outcome


def processor(bench: Bench) -> Any:
    return Patient(Narrowing(bench.process.run).run).run


def held(texts: list[str]) -> list[str]:
    return [one.id for text in texts for one in decode(text).events]


@pytest.mark.parametrize("bad", [[], [0], [4], [8], [3, 4], range(9)])
def test_only_the_events_at_fault_are_set_aside(bad: list[int]) -> None:
    bench = Bench()
    wrong = [f"llm.call-{n}" for n in bad]
    bench.exporter.event_outcome = poisoned_by(*wrong)
    poison = drain(processor(bench), message(*CALLS))
    assert sorted(held(poison)) == wrong
    healthy = sorted({one["id"] for one in CALLS} - set(wrong))
    assert sorted(set(bench.ids())) == healthy
    assert bench.total("llm_api_calls_total") == len(CALLS)
    assert bench.total("llm_cost_usd_total") == Decimal("0.01") * len(CALLS)
    assert bench.total("agentmeter_events_accepted_total") == len(healthy)


def test_what_is_set_aside_says_where_it_failed_and_no_value() -> None:
    bench = Bench()
    bench.exporter.event_outcome = poisoned_by("llm.call-1")
    (text,) = drain(processor(bench), message(*CALLS))
    assert decode(text).note.startswith("Fault in test_narrow.py:")
    assert "llm.call-1" not in decode(text).note


def test_a_replay_of_what_was_set_aside_counts_it_once() -> None:
    bench = Bench()
    bench.exporter.event_outcome = poisoned_by("llm.call-1")
    poison = drain(processor(bench), message(*CALLS))
    bench.exporter.event_outcome = lambda row: Exported()
    for _ in range(2):
        assert drain(processor(bench), *poison) == []
    assert bench.total("llm_api_calls_total") == len(CALLS)


def test_halves_that_come_twice_count_once() -> None:
    bench = Bench()
    text = message(*CALLS)
    parts = halves(text, 1)
    assert drain(processor(bench), *parts, *halves(parts[0], 1), *parts) == []
    assert bench.total("llm_api_calls_total") == len(CALLS)


def test_halves_of_what_was_counted_count_nothing() -> None:
    bench = Bench()
    text = message(*CALLS)
    bench.process.run(text, 1, START)
    assert drain(processor(bench), *halves(text, 1)) == []
    assert bench.total("llm_api_calls_total") == len(CALLS)


def test_a_duplicate_stays_with_its_event() -> None:
    bench = Bench()
    parts = halves(message(CALLS[0], CALLS[1], CALLS[0], CALLS[2]), 1)
    assert drain(processor(bench), *parts) == []
    assert bench.total("llm_api_calls_total") == 3


def test_a_span_stays_with_its_event() -> None:
    spans = [span(CHAT, n) for n in range(1, 5)]
    (text,) = pack_parcels(read_spans(spans, START, 0).parcels, START)
    for part in singles(text):
        one = decode(part)
        assert {e.id for e in one.events} >= {s.id for s in one.spans}
    assert sum(len(decode(part).spans) for part in singles(text)) == 4


def test_refusals_of_the_request_are_reported_once() -> None:
    given = decode(message(*CALLS)).model_copy(update={"refused": {"wrong_value": 2}})
    first, second = (decode(part) for part in halves(encode(given), 1))
    assert (first.refused, second.refused) == ({"wrong_value": 2}, {})


def test_an_event_of_another_edition_sinks_alone() -> None:
    whole = json.loads(gzip.decompress(base64.b64decode(message(*CALLS))))
    whole["events"][4]["type"] = "no.such"
    text = base64.b64encode(gzip.compress(json.dumps(whole).encode())).decode()
    bench = Bench()
    poison = drain(processor(bench), text)
    assert len(poison) == 1
    with pytest.raises(GiveUp):
        decode(poison[0])
    assert bench.total("llm_api_calls_total") == len(CALLS) - 1


@pytest.mark.parametrize("wait", [RetryLater("busy"), Misconfigured("403. Give the role.")])
def test_what_time_or_an_operator_fixes_is_neither_split_nor_set_aside(wait: Exception) -> None:
    def fails(_text: str, _delivery: int, _now: datetime) -> Processed:
        raise wait

    run, text = Patient(Narrowing(fails).run).run, message(*CALLS)
    for delivery in range(1, LAST_DELIVERY):
        with pytest.raises(type(wait)):
            run(text, delivery, START)
    (again,) = run(text, LAST_DELIVERY, START).again
    assert decode(again).events == decode(text).events


@pytest.mark.parametrize("text", ["hello", "", "aGVsbG8=", "\ufffd"])
def test_what_is_no_message_is_left_to_the_host(text: str) -> None:
    assert drain(processor(Bench()), text) == [text]


def test_halves_are_messages_that_the_queue_takes() -> None:
    for part in singles(message(*CALLS)):
        assert len(part) <= MAX_MESSAGE_CHARS
        assert len(decode(part).events) == 1
