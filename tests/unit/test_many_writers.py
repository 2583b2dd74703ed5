"""Many processors at work on the spans of one trace lose no call, and count none twice."""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from shared.errors import RetryLater
from shared.events.otlp.span import Scalar, Span
from tests.corrections import Pipeline, exported
from tests.fakes import START
from tests.interleave import TurnsDatabase
from tests.spans import CHAT, span

Said = Mapping[str, Scalar]

CALLS = 8
CACHED: Said = {"gen_ai.usage.cache_read.input_tokens": 500}
SEEDS = 25

Told = tuple[Sequence[Span], Sequence[tuple[int, int | None]]]
"""Spans of one trace, and the input and cached tokens of the calls that they are of."""


def used(number: int, *more: Said) -> Said:
    """Return what a span says of a call of that many thousand tokens."""
    said: Said = {**CHAT, "gen_ai.request.model": "gpt-4o"}
    for one in ({"gen_ai.usage.input_tokens": 1000 * number}, *more):
        said = {**said, **one}
    return said


def answered(number: int) -> Said:
    return {"gen_ai.response.id": f"chatcmpl-0123456789abcdef{number:04}"}


POOR: Said = {name: value for name, value in used(1).items() if "usage" not in name}
AGENT: Said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}


def reports(number: int) -> list[Span]:
    """Return what an agent, a framework, a client and a gateway say of one call."""
    base, answer = 4 * number, answered(number)
    return [
        span(AGENT, base - 3, kind="internal", name="invoke_agent"),
        span({**POOR, **answer}, base - 2, base - 3, scope="framework"),
        span(used(number, answer), base - 1, base - 2, scope="client"),
        span(used(number, answer, CACHED), base, base - 2, scope="gateway"),
    ]


def calls(*given: tuple[int, Said, int], inside: Sequence[Said] = (POOR,)) -> list[Span]:
    """Return wrappers one in another, and calls inside the innermost.

    given: number of thousand tokens, what else is said, which client says it.
    """
    wrappers = [span(said, n, n - 1, scope=f"w{n}") for n, said in enumerate(inside, 1)]
    first = len(wrappers) + 1
    return wrappers + [
        span(used(number, more), place, first - 1, scope=f"client{client}")
        for place, (number, more, client) in enumerate(given, first)
    ]


KINDS: dict[str, Told] = {
    "four-reports": (reports(1), [(1000, 500)]),
    "no-ids": (calls((1, {}, 1), (1, CACHED, 2), (1, {}, 3), inside=[AGENT]), [(1000, 500)]),
    "wrapper-of-two": (calls((1, {}, 1), (2, {}, 1)), [(1000, None), (2000, None)]),
    "wrapper-with-the-last-id": (
        calls((1, answered(1), 1), (2, answered(2), 1), inside=[{**POOR, **answered(2)}]),
        [(1000, None), (2000, None)],
    ),
    "wrapper-of-two-told-twice": (
        calls(
            (1, answered(1), 1),
            (1, {**answered(1), **CACHED}, 2),
            (2, answered(2), 1),
            (2, {**answered(2), **CACHED}, 2),
        ),
        [(1000, 500), (2000, 500)],
    ),
    "line-of-equals": (calls((1, {}, 1), inside=[used(1), used(1, CACHED)]), [(1000, 500)]),
    "sums-around": (
        [span(used(3), 1, scope="wrapper"), span(POOR, 2, 1, scope="client")],
        [(3000, None)],
    ),
}


def met(database: TurnsDatabase, spans: Sequence[Span]) -> Pipeline:
    """Process each span in a message of its own, all at once."""
    pipeline = Pipeline(database)
    texts = [exported(replace(one, trace_id="a" * 32)) for one in spans]

    def work(text: str) -> Callable[[], None]:
        def run() -> None:
            process = pipeline.another()
            for delivery in range(1, 5):
                with suppress(RetryLater):
                    process.run(text, delivery, START)
                    return
            raise AssertionError("was never taken")

        return run

    database.turns.run([work(text) for text in texts])
    return pipeline


@pytest.mark.parametrize("kind", KINDS)
def test_however_processors_meet_each_call_counts_once(kind: str) -> None:
    spans, right = KINDS[kind]
    for seed in range(SEEDS):
        order = random.Random(seed).sample(spans, len(spans))
        pipeline = met(TurnsDatabase(seed), order)
        shown = pipeline.shown("input_tokens", "cache_read_tokens")
        assert (seed, shown) == (seed, right)
        assert pipeline.counted()["llm_api_calls_total"] == len(right)


@pytest.mark.parametrize("seed", range(2))
def test_32_writers_on_one_trace_lose_nothing(seed: int) -> None:
    spans = [one for number in range(1, CALLS + 1) for one in reports(number)]
    random.Random(seed).shuffle(spans)
    pipeline = met(TurnsDatabase(seed), spans)
    right = [(1000 * number, 500) for number in range(1, CALLS + 1)]
    assert pipeline.shown("input_tokens", "cache_read_tokens") == right
    assert pipeline.counted()["llm_api_calls_total"] == CALLS
