"""Real programs sent these spans: their calls, tokens, costs and owners, in whichever order."""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.events.otlp.dialects import DIALECTS
from shared.events.otlp.reader import reader_of
from shared.events.otlp.span import Span
from shared.events.types import LlmCall
from shared.rows import EventRow
from shared.units import Usage
from tests.dialects import RECORDINGS
from tests.printed import blocks
from tests.recordings.record import programs
from tests.recordings.recorded import Call, recordings, traces_of
from tests.span_log import PRICES, rows_told

COUNTS = ("input", "output", "cache_read", "cache_write", "reasoning")
OWNERS = ("agent_type", "team_id", "conversation_id", "user_id")
PRICED = {"input", "output", "cache_read", "cache_write"}
Messages = list[list[Span]]
Arrange = Callable[[Messages], Messages]
Shown = tuple[int | str, ...]


def as_sent(messages: Messages) -> Messages:
    return messages


def children_first(messages: Messages) -> Messages:
    spans = [span for message in messages for span in message]
    return [[span] for span in sorted(spans, key=lambda span: span.end_ns)]


def twice(messages: Messages) -> Messages:
    return [message for message in messages for _ in range(2)]


def shuffled(messages: Messages) -> Messages:
    """Return the spans in messages of one to four, in any order."""
    draw = random.Random(11)
    spans = [span for message in messages for span in message]
    draw.shuffle(spans)
    made: Messages = []
    while spans:
        size = draw.randint(1, 4)
        made.append(spans[:size])
        del spans[:size]
    return made


def latest(messages: Sequence[Sequence[Span]]) -> datetime:
    return datetime.fromtimestamp(max(s.end_ns for m in messages for s in m) // 10**9 + 1, UTC)


def wanted(call: Call) -> Shown:
    counts = tuple(getattr(call, name) for name in COUNTS)
    return *counts, call.status, call.agent, call.team, call.conversation, call.user


def shown(row: EventRow) -> Shown:
    counts = tuple(int(row.numbers.get(f"{name}_tokens", 0)) for name in COUNTS)
    return *counts, row.text["status"], *(row.text.get(name, "") for name in OWNERS)


def rows_of(arrange: Arrange) -> dict[str, list[EventRow]]:
    """Return the rows of each recording, all of them in one log."""
    sent = {name: one.messages() for name, one in recordings().items()}
    names = {trace: name for name, messages in sent.items() for trace in traces_of(messages)}
    arranged = [message for messages in sent.values() for message in arrange(messages)]
    found = defaultdict[str, list[EventRow]](list)
    for row in rows_told(arranged, latest(arranged)):
        found[names[row.operation_id]].append(row)
    return found


@pytest.mark.parametrize("arrange", [as_sent, twice, children_first, shuffled])
def test_recorded_programs_are_their_calls(arrange: Arrange) -> None:
    found = rows_of(arrange)
    for name, one in recordings().items():
        got, right = map(shown, found[name]), map(wanted, one.calls)
        assert (name, sorted(got)) == (name, sorted(right))


def test_recorded_programs_cost_what_they_used() -> None:
    found = rows_of(as_sent)
    for name, one in recordings().items():
        rows, calls = sorted(found[name], key=shown), sorted(one.calls, key=wanted)
        for row, call in zip(rows, calls, strict=True):
            status = row.text["cost_status"]
            if PRICED & set(call.untold):
                assert (name, status) != (name, "known")
            elif status == "known":
                usd = pytest.approx(price(call, row))
                assert (name, row.numbers["cost_usd"]) == (name, usd)


def price(call: Call, row: EventRow) -> float:
    """Return what the server's log says that the call cost."""
    counts = {f"{name}_tokens": getattr(call, name) for name in (*COUNTS, "cache_write_1h")}
    said = LlmCall(
        provider=row.text["provider"], model=call.model, status="success", usage=Usage(**counts)
    )
    usd = PRICES.price(said, row.time).usd
    return float(usd if usd is not None else Decimal("nan"))


def test_every_dialect_has_a_recording() -> None:
    real = {
        reader_of(span).dialect.name
        for one in recordings().values()
        for message in one.messages()
        for span in message
    }
    assert {dialect.name for dialect in DIALECTS} == real | {one.dialect for one in RECORDINGS}


def test_printed_lines_for_spring_were_recorded() -> None:
    (lines,) = blocks("docs/opentelemetry.md", "properties")
    recorded = programs().parts["spring_ai"]
    for name in re.findall("(?m)^([^=]+)=", lines):
        assert "headers" in name or f'Map.entry("{name}", ' in recorded
