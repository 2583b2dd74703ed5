"""Two instrumentations of a call are one call; long trees take bounded time."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from shared.events.otlp import twins
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.record import Record, record_of
from shared.events.otlp.relate import MOST_ERRORS, relate
from shared.events.otlp.span import Scalar
from shared.events.types import LlmCall
from tests.fakes import START
from tests.spans import CHAT, TOOL, events, kinds, span

SIBLING = {**CHAT, "gen_ai.response.id": "chatcmpl-0123456789abcdef0123"}


@pytest.mark.parametrize(
    ("second", "scope", "calls"),
    [
        pytest.param({}, "other", 1, id="two-scopes"),
        pytest.param({}, "tests", 2, id="one-scope"),
        pytest.param({"gen_ai.usage.output_tokens": 101}, "other", 2, id="other-counts"),
        pytest.param({"gen_ai.request.model": "gpt-4o-mini"}, "other", 2, id="other-model"),
        pytest.param({"gen_ai.request.model": "gpt-4o-2024-08-06"}, "other", 1, id="dated-model"),
        pytest.param({"gen_ai.response.id": "chatcmpl-other"}, "other", 2, id="two-answers"),
        pytest.param({"gen_ai.provider.name": "azure"}, "other", 2, id="two-sellers"),
    ],
)
def test_twins_without_a_common_id(second: Mapping[str, Scalar], scope: str, calls: int) -> None:
    found = kinds(span(SIBLING, 1), span({**CHAT, **second}, 2, scope=scope))
    assert len(found) == calls


def test_two_calls_at_once_with_twins_stay_two() -> None:
    spans = [span(CHAT, n, scope=scope) for n, scope in enumerate(("a", "b", "a", "b"), 1)]
    assert len(kinds(*spans)) == 2


def test_twins_one_after_another_are_two_calls() -> None:
    first = span(CHAT, 1, scope="a")
    later = replace(span(CHAT, 2, scope="b"), start_ns=first.end_ns, end_ns=first.end_ns + 10)
    assert len(kinds(first, later)) == 2


def test_the_twin_that_knows_less_adds_what_it_alone_knows() -> None:
    answer = {"gen_ai.response.id": "msg_0123456789abcdef01234", "gen_ai.request.model": "claude-3"}
    cached = {**CHAT, **answer, "gen_ai.usage.cache_read.input_tokens": 600}
    written = {**cached, "gen_ai.usage.cache_write.input_tokens": 300, "session.id": "c-7"}
    (call,) = events(span(written, 1, 2), span({**cached, "operation.cost": 0.5}, 2))
    assert isinstance(call.data, LlmCall)
    assert call.data.usage is not None
    assert (call.data.usage.cache_read_tokens, call.data.usage.cache_write_tokens) == (600, 300)
    assert (str(call.data.cost_usd), call.data.conversation_id) == ("0.5", "c-7")


def test_many_calls_of_one_size_are_compared_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[object] = []
    agree = twins._agree  # pyright: ignore[reportPrivateUsage]  # what must not run too often

    def counted(one: Record, other: Record) -> bool:
        compared.append(one)
        return agree(one, other)

    monkeypatch.setattr(twins, "_agree", counted)
    many = [
        span({**CHAT, "gen_ai.response.id": f"short-{n}"}, n, scope=scope)
        for scope, numbers in (("a", range(1, 500)), ("b", range(500, 1000)))
        for n in numbers
    ]
    assert len(kinds(*many)) == len(many)
    assert len(compared) <= twins.MOST_RUNNING * len(many)


def test_errors_of_many_kinds_go_up_a_long_chain_in_bounded_number() -> None:
    chain = [span({}, n, n - 1) for n in range(1, 300)]
    leaves = [
        span({**TOOL, "error.type": f"Odd{n}"}, n, len(chain), failed=True) for n in range(300, 600)
    ]
    nodes = relate([record_of(each) for each in (*chain, *leaves)])
    handed_on = [len(node.errors_below) for node in nodes.values()]
    assert sorted(handed_on)[-2:] == [MOST_ERRORS, len(leaves)]


CHAIN_LENGTH = 2_000


@pytest.mark.timeout(60)
@pytest.mark.parametrize("circle", [False, True])
def test_a_long_chain_takes_linear_time(circle: bool) -> None:
    failed = {**CHAT, "error.type": "Odd"}
    chain = [
        span({**failed, "error.type": f"Odd{n}"}, n, n - 1, failed=True)
        for n in range(1, CHAIN_LENGTH)
    ]
    if circle:
        chain[0] = replace(chain[0], parent_id=chain[-1].span_id)
    assert len(read_spans(chain, START, 0).parcels) == CHAIN_LENGTH - 1
