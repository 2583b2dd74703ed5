"""What ingestion accepts, processing can process and Azure Monitor takes, whatever it holds."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.adapters.azure.azure_monitor_limits import event_fault, span_fault
from shared.adapters.otlp.traces import read_traces
from shared.errors import InvalidEvent
from shared.events.body import Limits
from shared.events.unpack import Sizes
from shared.rows import EventRow, Exported, ExportOutcome, ExportRefused, SpanRow
from shared.usecases.intake.ingest import Ingest
from shared.usecases.intake.otlp import TakeOtlp
from shared.usecases.processing.process import Process, Stores
from tests.factories import DATA, event
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces
from tests.processing import CentPerCall

HEADERS = {"content-type": "application/json"}
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [char * n for char in 'x\0"\\ß漢😀\u2028\x1f' for n in (1, 128, 129, 1024, 8000, 8192)]
    ),
)
TIMES = st.one_of(
    st.none(),
    st.from_regex(
        r"(0000|0001|1969|2026|9999)-(01-01|02-29|12-31)T(00:00:00|23:59:5[09])(\.[0-9]{1,9})?(Z|[+-](00|14|23):(00|59))",
        fullmatch=True,
    ),
)
EDGES = st.sampled_from([0, 1, 1e-300, 1e9, 1e15, 10**12, "0.1234567890123456789", -1, None, True])


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an event of any kind, some of whose fields hold what nobody would send."""
    kind = draw(st.sampled_from(sorted(DATA)))
    made = event(kind, draw(st.integers(0, 3)))
    for name in draw(st.sets(st.sampled_from(["id", "source", "subject", "traceparent"]))):
        made[name] = draw(TEXTS)
    made["time"] = draw(TIMES)
    names = [*DATA[kind], "team_id", "tenant", "mission_id", "count"]
    for name in draw(st.sets(st.sampled_from(names))):
        made["data"][name] = draw(TEXTS | EDGES)
    return made


class Judging(FakeExporter):
    """An exporter that refuses what Azure Monitor would, and keeps why."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.event_outcome = self._event
        self.span_outcome = self._span

    def _event(self, row: EventRow) -> ExportOutcome:
        return self._judged(event_fault(row))

    def _span(self, row: SpanRow) -> ExportOutcome:
        return self._judged(span_fault(row))

    def _judged(self, fault: str) -> ExportOutcome:
        if fault:
            self.faults.append(fault)
        return ExportRefused(400, fault) if fault else Exported()


def processed(messages: tuple[str, ...]) -> Judging:
    exporter = Judging()
    traces = MemoryTraces()
    stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), traces)
    process = Process(stores, exporter, CentPerCall(), 200)
    for text in messages:
        process.run(text, 1, START)
    return exporter


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batch=st.lists(events(), min_size=1, max_size=4))
@example(batch=[event("error", message="😀" * 8000)])
@example(batch=[event("error", message="漢" * 8192)])
@example(batch=[event(number=1), {**event(number=2), "time": "0001-01-01T00:00:00+01:00"}])
def test_every_accepted_event_is_exported(batch: list[dict[str, Any]]) -> None:
    received = Ingest(Limits()).accept(json.dumps(batch).encode(), HEADERS, START)
    exporter = processed(received.messages)
    assert exporter.faults == []
    refused = {one.index for one in received.rejected}
    accepted = [one for index, one in enumerate(batch) if index not in refused]
    exported = {(row.text["source"], row.text["id"]) for row in exporter.event_rows}
    assert exported == {(one["source"], one["id"]) for one in accepted}


SPAN = {
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "spanId": "b7ad6b7169203331",
    "name": "chat",
    "startTimeUnixNano": "1796000000000000000",
    "endTimeUnixNano": "1796000001000000000",
}
NAMES = ["gen_ai.x0", "gen_ai.x1", "gen_ai.agent.name", "gen_ai.request.model", "duration", "a.b"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=TEXTS,
    times=st.tuples(*[st.sampled_from([0, 1, 1796 * 10**15, 2**63, 2**64 - 1])] * 2),
    attributes=st.dictionaries(st.sampled_from(NAMES), TEXTS | st.sampled_from(["1e308", "-1"])),
    operation=st.sampled_from(["chat", "invoke_agent", "execute_tool", "", "step"]),
    content_chars=st.sampled_from([0, 8192]),
)
@example(
    name="step",
    times=(0, 0),
    attributes={"gen_ai.x0": "😀" * 8192, "gen_ai.x1": "漢" * 8192},
    operation="",
    content_chars=8192,
)
def test_every_accepted_span_is_exported(
    name: str,
    times: tuple[int, int],
    attributes: dict[str, str],
    operation: str,
    content_chars: int,
) -> None:
    given = {**attributes, "gen_ai.operation.name": operation}
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in given.items()]
    span: dict[str, object] = {**SPAN, "name": name, "attributes": pairs}
    span |= {"startTimeUnixNano": str(times[0]), "endTimeUnixNano": str(times[1])}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    traces = TakeOtlp(read_traces, Sizes(10**7, 10**7), content_chars)
    received = traces.accept(body, {}, "application/json", START)
    exporter = processed(received.messages)
    assert exporter.faults == []
    assert len(exporter.event_rows) == received.events


def test_too_many_escapes_are_refused_with_the_remedy() -> None:
    body = json.dumps(event("error", message="😀" * 8000)).encode()
    received = Ingest(Limits()).accept(body, HEADERS, START)
    (refused,) = received.rejected
    assert (received.messages == (), refused.reason) == (False, "too_large")
    assert "Shorten its texts" in refused.error


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '"\\ud800"'])
def test_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidEvent):
        Ingest(Limits()).accept(text.encode(), HEADERS, START)
