"""What spans tell is the same in whichever messages, order and number they come."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import TypeAdapter

from shared.events.message import pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.record import Record, record_of
from shared.events.otlp.span import Scalar, Span
from shared.pricing.price import load
from shared.rows import EventRow
from shared.storage.memory import MemoryDatabase
from shared.storage.packing import packed
from shared.storage.rows import Put, Row, Transaction, Within
from shared.storage.traces import TraceRows
from shared.usecases.processing.process import Process, Stores
from tests.dialects import RECORDINGS
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces
from tests.recording import Recording
from tests.span_log import shown_once
from tests.spans import AGENT, BARE, CHAT, TOOL, span

PRICES = load("")
COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def rows(messages: Sequence[Sequence[Span]], kind: str = "llm.call") -> list[EventRow]:
    """Return the rows of that kind that the spans of each message become."""
    exporter = FakeExporter()
    traces = MemoryTraces()
    stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), traces)
    process = Process(stores, exporter, PRICES, 200)
    for spans in messages:
        for text in pack_parcels(read_spans(spans, START, 0).parcels, START):
            process.run(text, 1, START)
    return shown_once(exporter.event_rows, kind)


def counted(found: list[EventRow]) -> list[tuple[float, ...]]:
    return sorted(tuple(row.numbers.get(name, 0) for name in COUNTS) for row in found)


@pytest.mark.parametrize(
    "recording", RECORDINGS, ids=lambda one: f"{one.dialect}-{one.spans[0].name}"
)
@pytest.mark.parametrize("order", ["children-first", "twice", "shuffled"])
def test_calls_are_the_same_in_any_messages(recording: Recording, order: str) -> None:
    singles = [[one] for one in sorted(recording.spans, key=lambda one: one.end_ns)]
    if order == "twice":
        singles = [single for one in singles for single in (one, one)]
    if order == "shuffled":
        random.Random(7).shuffle(singles)
    wanted = [tuple(map(float, (one.counts or (0,) * 5)[:4])) for one in recording.calls]
    assert counted(rows(singles)) == sorted(wanted)


def numbers(found: list[EventRow]) -> list[str]:
    return [row.text["id"].split(":")[1][-1] for row in found]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(span(CHAT, 2, 1), span(CHAT, 1), id="wrapper-later"),
        pytest.param(span(CHAT, 1), span(CHAT, 2, 1), id="wrapper-first"),
        pytest.param(span(CHAT, 1, 9), span(CHAT, 2, 9, scope="other"), id="twins"),
        pytest.param(
            span(BARE, 2, 1, failed=True), span(BARE, 1, failed=True), id="failed-wrapper-later"
        ),
    ],
)
def test_a_call_reported_by_two_messages_is_one(first: Span, second: Span) -> None:
    assert len(rows([[first], [second]])) == 1


def test_calls_of_one_scope_in_two_messages_are_two() -> None:
    assert len(rows([[span(CHAT, 1, 9)], [span(CHAT, 2, 9)]])) == 2


SUMS: dict[str, Scalar] = {**CHAT, **AGENT}


def test_an_agent_alone_is_the_record_of_its_calls() -> None:
    (row,) = rows([[span(SUMS, 1, kind="internal")]])
    assert (row.text["agent_type"], row.numbers["input_tokens"]) == ("planner", 1000)


@pytest.mark.parametrize("agent_first", [False, True])
def test_an_agent_and_its_call_are_counted_once(agent_first: bool) -> None:
    messages = [[span(CHAT, 2, 1)], [span(SUMS, 1, kind="internal")]]
    assert len(rows(messages[::-1] if agent_first else messages)) == 1


def test_an_agent_is_not_counted_beside_a_call_whose_parents_are_unknown() -> None:
    assert numbers(rows([[span(CHAT, 3, 8)], [span(SUMS, 1, kind="internal")]])) == ["3"]


def test_an_owner_of_an_earlier_message_is_known() -> None:
    top = span({**AGENT, "team.id": "red", "session.id": "c-7"}, 1, kind="internal")
    (row,) = rows([[top], [span(CHAT, 2, 1)]])
    owner = [row.text[name] for name in ("agent_type", "team_id", "conversation_id")]
    assert owner == ["planner", "red", "c-7"]


def test_an_error_of_an_earlier_message_counts_once() -> None:
    tool = span({**TOOL, "error.type": "Timeout"}, 2, 1, failed=True)
    agent = span({**AGENT, "error.type": "Timeout"}, 1, failed=True)
    assert numbers(rows([[tool], [agent]], "error")) == ["2"]


def test_a_redelivery_after_its_twin_was_counted_keeps_its_call() -> None:
    poor, rich = span(BARE, 2, 1), span(CHAT, 1)
    exporter = FakeExporter()
    traces = MemoryTraces()
    process = Process(
        Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), traces), exporter, PRICES, 200
    )
    (first,) = pack_parcels(read_spans([poor], START, 0).parcels, START)
    (second,) = pack_parcels(read_spans([rich], START, 0).parcels, START)
    for text, delivery in ((first, 1), (second, 1), (first, 2)):
        process.run(text, delivery, START)
    assert {row.text["id"] for row in exporter.event_rows} == {f"{poor.trace_id}:{poor.span_id}"}


def test_a_trace_of_another_window_is_forgotten() -> None:
    memory = MemoryTraces()
    record = read_spans([span(CHAT)], START, 0).parcels[0].records[0]
    memory.remember("a", {record.trace_id: [record]}, START)
    assert memory.forget(START) == 0
    assert memory.forget(START.replace(year=START.year + 1)) == 2
    other = replace(record, span_id="00000000000000ff")
    assert len(memory.remember("b", {record.trace_id: [other]}, START)[record.trace_id]) == 1


class Counting:
    """Rows of traces, and how often and for how much they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows = rows = MemoryDatabase().table("traces")
        self.writes, self.reads = list[int](), list[int]()
        commit_each, query_each = rows.commit_each, rows.query_each

        def commit(transactions: Sequence[Transaction]) -> Sequence[bool]:
            self.writes.append(len(transactions))
            return commit_each(transactions)

        def query(places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
            self.reads.append(len(places))
            return query_each(places)

        monkeypatch.setattr(rows, "commit_each", commit)
        monkeypatch.setattr(rows, "query_each", query)

    def asked(self) -> tuple[int, ...]:
        """Return the requests since the last, and how many steps of writing and reading."""
        steps = [sum(map(bool, some)) for some in (self.writes, self.reads)]
        found = sum(self.writes + self.reads), *steps
        self.writes.clear()
        self.reads.clear()
        return found


def hundred(number: int) -> dict[str, list[Record]]:
    """Return a record of a hundred traces each; the number is that of their span."""
    return {f"{trace:032x}": [record_of(span(CHAT, number))] for trace in range(100)}


EARLY, LATE = START.replace(hour=1), START.replace(hour=5, minute=59)


@pytest.mark.parametrize(("at", "most"), [pytest.param(EARLY, 8), pytest.param(LATE, 16)])
def test_traces_that_begin_are_written_alone(
    monkeypatch: pytest.MonkeyPatch, at: datetime, most: int
) -> None:
    counting = Counting(monkeypatch)
    known = TraceRows(counting.rows).remember("first", hundred(1), at)
    assert counting.asked() == (most, 1, 0)
    assert {len(found) for found in known.values()} == {1}


def test_traces_that_go_on_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    here, elsewhere = TraceRows(counting.rows), TraceRows(counting.rows)
    here.remember("first", hundred(1), EARLY)
    counting.asked()
    known = here.remember("second", hundred(2), EARLY)
    assert counting.asked() == (108, 1, 1)
    assert {len(found) for found in known.values()} == {2}
    known = elsewhere.remember("third", hundred(3), EARLY)
    assert counting.asked() == (116, 2, 1)
    assert {len(found) for found in known.values()} == {3}


def test_a_trace_beside_one_that_goes_on_is_found_later() -> None:
    rows = MemoryDatabase().table("traces")
    calls = hundred(1)
    TraceRows(rows).remember("first", dict(list(calls.items())[:1]), EARLY)
    TraceRows(rows).remember("second", calls, EARLY)
    known = TraceRows(rows).remember("third", hundred(2), EARLY)
    assert {len(found) for found in known.values()} == {2}


@pytest.mark.parametrize("swapped", [False, True])
def test_a_trace_goes_on_in_the_next_window(swapped: bool) -> None:
    rows = MemoryDatabase().table("traces")
    messages = [("first", 1, LATE), ("second", 2, LATE + timedelta(hours=1))]
    for batch, number, at in messages[::-1] if swapped else messages:
        TraceRows(rows).remember(batch, hundred(number), at)
    known = TraceRows(rows).remember("third", hundred(3), LATE)
    assert {len(found) for found in known.values()} == {3}


def test_the_same_message_again_changes_nothing() -> None:
    memory = TraceRows(MemoryDatabase().table("traces"))
    assert memory.remember("a", hundred(1), LATE) == memory.remember("a", hundred(1), LATE)


def test_traces_of_the_edition_before_are_known() -> None:
    rows = MemoryDatabase().table("traces")
    earlier, later = record_of(span(CHAT, 1)), record_of(span(CHAT, 2))
    trace = "9" + "0" * 31  # its partition was named by the first digit
    window = f"{START:%Y%m%d}{START.hour - START.hour % 6:02}"
    text = TypeAdapter(list[Record]).dump_json([earlier], exclude_defaults=True).decode()
    rows.commit(f"{window}-9", [Put(f"{trace}:old", packed(text, "test"))])
    known = TraceRows(rows).remember("new", {trace: [later]}, START)
    assert {one.span_id for one in known[trace]} == {earlier.span_id, later.span_id}
