"""Many processors at work on the spans of one trace lose no call, and count none twice."""

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier

import pytest

from shared.errors import RetryLater
from shared.events.otlp.span import Scalar, Span
from tests.corrections import Pipeline, exported
from tests.fakes import START
from tests.spans import CHAT, span

CALLS = 8
NS = 10**9


@pytest.fixture(autouse=True)
def hasty() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(usual)


def reports(number: int) -> list[Span]:
    """Return what an agent, a framework, a client and a gateway tell of one call."""
    base = 4 * number
    used = {**CHAT, "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000 + number}
    answer: dict[str, Scalar] = {"gen_ai.response.id": f"chatcmpl-0123456789abcdef{number:04}"}
    poor = {n: v for n, v in used.items() if "usage" not in n}
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": f"a{number}"}
    cached = {"gen_ai.usage.cache_read.input_tokens": 500}
    return [
        span(agent, base + 1, kind="internal", name="invoke_agent"),
        span({**poor, **answer}, base + 2, base + 1, scope="framework"),
        span({**used, **answer}, base + 3, base + 2, scope="client"),
        span({**used, **answer, **cached}, base + 4, base + 2, scope="gateway"),
    ]


@pytest.mark.parametrize("seed", range(2))
def test_32_writers_on_one_trace_lose_nothing(seed: int) -> None:
    spans = [one for number in range(CALLS) for one in reports(number)]
    random.Random(seed).shuffle(spans)
    texts = [exported(replace(one, trace_id="a" * 32)) for one in spans]
    pipeline = Pipeline()
    barrier = Barrier(len(texts))

    def work(text: str) -> None:
        process = pipeline.another()
        barrier.wait()
        for delivery in range(1, 4):
            with suppress(RetryLater):
                process.run(text, delivery, START)
                return

    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(work, texts))
    found = pipeline.shown("input_tokens", "cache_read_tokens")
    assert found == [(1000 + number, 500) for number in range(CALLS)]
    assert pipeline.counted()["llm_api_calls_total"] == CALLS
