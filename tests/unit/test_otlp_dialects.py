"""Each dialect's recording tells its calls, tokens and owner."""

import pytest

from shared.events.otlp.read_spans import read_spans
from shared.events.types import LlmCall
from tests.dialects import RECORDINGS
from tests.fakes import START
from tests.recording import Recording, StatedCall

PARTS = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def stated(call: LlmCall) -> StatedCall:
    used = call.usage
    counts = used and (
        used.input_tokens,
        used.output_tokens,
        used.cache_read_tokens,
        used.cache_write_tokens,
        used.reasoning_tokens,
    )
    return StatedCall(
        call.provider,
        call.model,
        counts,
        call.agent_type,
        call.conversation_id,
        call.team_id or "",
        call.user_id,
        call.status,
        call.doubts,
    )


@pytest.mark.parametrize(
    "recording", RECORDINGS, ids=lambda one: f"{one.dialect}-{one.spans[0].name}"
)
def test_a_dialects_calls_are_reported(recording: Recording) -> None:
    reading = read_spans(recording.spans, START, 0)
    events = [event for parcel in reading.parcels for event in parcel.events]
    calls = [stated(event.data) for event in events if isinstance(event.data, LlmCall)]
    assert (reading.refused, reading.unread) == ((), {})
    assert sorted(map(str, calls)) == sorted(map(str, recording.calls))
