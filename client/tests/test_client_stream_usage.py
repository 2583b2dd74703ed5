from __future__ import annotations

from typing import Any

import pytest

from agentmeter_client.chunks import Chunks
from agentmeter_client.usage import Reading
from shapes import (
    ANTHROPIC_EVENTS,
    ANTHROPIC_USAGE,
    CHUNKS,
    RESPONSE,
    RESPONSE_USAGE,
    chunk,
    thing,
)


def streamed(chunks: Any, complete: bool = True) -> Reading:
    """Return what the chunks say."""
    seen = Chunks()
    for one in chunks:
        seen.add(one)
    return seen.reading(complete)


STREAMS = [
    pytest.param(
        CHUNKS,
        Reading({"input_tokens": 10, "output_tokens": 2}, "chatcmpl-2", "gpt-4o-2024-08-06"),
        id="openai-chat",
    ),
    pytest.param(
        [
            {"type": "response.created", "response": {"id": "resp_1", "usage": None}},
            {"type": "response.output_text.delta", "delta": "x"},
            {"type": "response.completed", "response": RESPONSE},
        ],
        Reading(RESPONSE_USAGE, "resp_1", "gpt-5-2025-08-07", "flex"),
        id="openai-responses",
    ),
    pytest.param(
        ANTHROPIC_EVENTS,
        Reading(ANTHROPIC_USAGE, "msg_1", "claude-sonnet-4-5-20250929", "standard"),
        id="anthropic",
    ),
    pytest.param(
        [
            {
                "response_id": "g",
                "candidates": [{"finish_reason": reason}],
                "usage_metadata": {"prompt_token_count": 9, "candidates_token_count": n},
            }
            for n, reason in ((1, None), (5, None), (12, "STOP"))
        ],
        Reading({"input_tokens": 9, "output_tokens": 12}, "g"),
        id="google",
    ),
]


@pytest.mark.parametrize(("chunks", "expected"), STREAMS)
def test_usage_is_where_each_provider_puts_it_in_a_stream(chunks: Any, expected: Reading) -> None:
    assert streamed(chunks) == expected
    assert streamed(thing(chunks)) == expected
    assert streamed(chunks, complete=False) == expected


@pytest.mark.parametrize(("chunks", "expected"), STREAMS)
def test_a_stream_broken_off_has_no_usage(chunks: Any, expected: Reading) -> None:
    cut = streamed(chunks[:2], complete=False)
    assert cut == expected._replace(
        usage=None, service_tier=cut.service_tier, response_model=cut.response_model
    )


def test_a_running_usage_counts_only_at_the_end() -> None:
    running = [
        chunk(usage={"prompt_tokens": 10, "completion_tokens": n, "total_tokens": 10 + n})
        for n in range(1, 4)
    ]
    assert streamed(running, complete=False).usage is None
    assert streamed(running).usage == {"input_tokens": 10, "output_tokens": 3}
