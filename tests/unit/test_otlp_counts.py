"""What exporters sent is counted: received, read, unread, refused, sampled."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from shared.adapters.otlp.logs import read_logs
from shared.events.otlp.media import Media
from shared.events.otlp.span import Span
from shared.events.unpack import Sizes
from shared.pricing.price import load
from shared.usecases.intake.otlp import TakeOtlp
from shared.usecases.processing.process import Process, Stores
from tests.coding_agents import body_of
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces
from tests.spans import CHAT, span

SIZES = Sizes(10**7, 10**7)
START_OF = "agentmeter_otlp_"
SAMPLED = "ot=th:8"


def counted(messages: tuple[str, ...]) -> Mapping[str, Decimal]:
    """Return the metrics agentmeter_otlp_* after the messages, by what they count."""
    series = MemorySeries()
    stores = Stores(MemoryClaims(), series, MemoryLabels(), MemoryTraces())
    process = Process(stores, FakeExporter(), load(""), 200)
    for text in messages:
        for delivery in (1, 2):
            process.run(text, delivery, START)
    return {
        f"{name.removeprefix(START_OF).removesuffix('_total')} {labels[0][1]}": count
        for (name, labels), count in series.read().counters.items()
        if name.startswith(START_OF)
    }


def taken(*read: Span | str) -> tuple[str, ...]:
    def given(body: bytes, media: Media) -> Sequence[Span | str]:
        del body, media
        return read

    return TakeOtlp(given, SIZES, 0).accept(b"x", {}, "application/json", START).messages


def test_each_span_is_counted_by_what_became_of_it() -> None:
    unread = replace(span({"my.tokens": 7}, 3), scope="odd")
    other = span({"http.request.method": "GET"}, 4)
    sampled = replace(span(CHAT, 5), trace_state=SAMPLED)
    messages = taken(span(CHAT, 1), "its span id is short", unread, other, sampled)
    assert counted(messages) == {
        "received traces": 5,
        "read traces": 2,
        "refused traces": 1,
        "unread traces": 1,
        "unread_scopes odd": 1,
        "sampled traces": 1,
    }


def test_log_records_are_counted_as_logs() -> None:
    take = TakeOtlp(read_logs, SIZES, 0, "logs")
    received = take.accept(body_of("claude_code.logs"), {}, "application/json", START)
    assert counted(received.messages) == {"received logs": 10, "read logs": 3}


def test_an_export_that_cannot_be_read_counts_as_one() -> None:
    messages = TakeOtlp(read_logs, SIZES, 0, "logs").count_refused(START)
    assert counted(tuple(messages)) == {"refused logs": 1}


def test_an_export_of_other_matters_makes_no_message() -> None:
    assert taken(span({"http.request.method": "GET"})) == ()
