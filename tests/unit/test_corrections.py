"""A better report of a call corrects a poorer one, once, in whichever order they come."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from shared.usecases.processing.claim_note import read_note
from tests.corrections import (
    ANSWER,
    CACHED,
    SHOWN,
    USED,
    Pipeline,
    call,
    exported,
    of,
    outcome,
    posted,
)
from tests.fakes import START
from tests.span_log import logged
from tests.spans import CHAT, span

USD, CACHED_USD = 0.0035, 0.002375
OTHER_TRACE = "b" * 32
CLIENT = {**CHAT, "gen_ai.request.model": "gpt-4o", "gen_ai.response.id": ANSWER}
GATEWAY = {**CLIENT, "gen_ai.usage.cache_read.input_tokens": 900}
NO_USAGE = {name: value for name, value in CLIENT.items() if "usage" not in name}


def spans(said: Any, number: int, trace_id: str = "a" * 32) -> str:
    return exported(replace(span(said, number, scope=f"s{number}"), trace_id=trace_id))


KINDS: dict[str, Sequence[str]] = {
    "answer": [
        posted(call(1, response_id=ANSWER)),
        posted(call(2, response_id=ANSWER, usage=USED)),
        posted(call(3, response_id=ANSWER, usage=CACHED)),
    ],
    "identity": [
        posted(call(1)),
        posted(call(1, usage=USED)),
        posted(call(1, usage=CACHED)),
    ],
    "event-and-span": [
        posted(call(1, response_id=ANSWER, team_id="checkout")),
        spans(GATEWAY, 2),
    ],
    "gateway-and-client": [spans(CLIENT, 1), spans(GATEWAY, 2, OTHER_TRACE)],
    "client-without-usage": [spans(NO_USAGE, 1), spans(GATEWAY, 2, OTHER_TRACE)],
    "price": [
        posted(call(1, model="house-model", response_id=ANSWER, usage=CACHED)),
        posted(call(2, response_id=ANSWER, usage=CACHED)),
    ],
    "owner": [
        posted(call(1, response_id=ANSWER, usage=CACHED)),
        posted(call(2, response_id=ANSWER, usage=CACHED, team_id="red")),
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_either_order_comes_to_the_same(kind: str) -> None:
    texts = KINDS[kind]
    found = {repr(of(order)) for order in permutations(texts)}
    assert len(found) == 1
    rows, counted, tallied = of(texts)
    assert len(rows) == 1
    assert rows[0][:4] == (1000, 900, CACHED_USD, "known")
    assert (counted["llm_api_calls_total"], tallied) == (1, CACHED_USD)
    assert counted["llm_cost_usd_total"] == Decimal(str(CACHED_USD))


@pytest.mark.parametrize("kind", KINDS)
def test_repeats_change_nothing(kind: str) -> None:
    texts = KINDS[kind]
    assert of([*texts, *texts]) == of(texts)
    twice = Pipeline().run(*texts)
    rows = len(twice.exporter.event_rows)
    assert outcome(twice.run(*texts, delivery=2)) == of(texts)
    assert len(twice.exporter.event_rows) == rows


def test_two_reports_in_one_message_are_one_call() -> None:
    both = posted(call(1, response_id=ANSWER), call(2, response_id=ANSWER, usage=CACHED))
    assert Pipeline().run(both).shown("id", *SHOWN[:3]) == [("llm.call-1", 1000, 900, CACHED_USD)]


def test_counters_never_fall() -> None:
    pipeline = Pipeline()
    before: dict[str, Decimal] = {}
    for text in KINDS["answer"]:
        after = pipeline.run(text).counters()
        assert all(after[name] >= amount for name, amount in before.items())
        before = dict(after)
    assert before["llm_cost_usd_total"] == Decimal("0.0035")
    assert before["agentmeter_corrected_llm_cost_usd_total"] == Decimal("0.001125")


def test_the_row_says_what_was_corrected_and_by_whom() -> None:
    pipeline = Pipeline().run(*KINDS["answer"][1:])
    columns = ("id", "revision", "reason", "who", "old_cost_usd", "old_cost_status")
    assert pipeline.shown(*columns) == [
        (
            *("llm.call-2", 1, "cache_read_tokens as a later report stated", "tests llm.call-3"),
            *("0.0035", "known"),
        )
    ]


def test_contradicting_counts_leave_the_first() -> None:
    other = posted(call(2, response_id=ANSWER, usage={**USED, "input_tokens": 2000}))
    pipeline = Pipeline().run(posted(call(1, response_id=ANSWER, usage=USED)), other)
    assert pipeline.shown("input_tokens", "cost_usd") == [(1000, USD)]
    assert pipeline.counters()["agentmeter_reports_contradicting_total"] == 1


def test_a_count_that_was_cut_off_is_learnt() -> None:
    cut = posted(call(1, response_id=ANSWER, usage={"input_tokens": 1000}))
    whole = posted(call(2, response_id=ANSWER, usage=USED))
    assert Pipeline().run(cut, whole).shown("output_tokens", "cost_usd") == [(100, USD)]


def test_a_call_of_long_ago_stays_as_it_is() -> None:
    """Azure Monitor takes no row of its time any more."""
    poor, better = (
        posted(call(1, response_id=ANSWER)),
        posted(call(2, response_id=ANSWER, usage=USED), now=START + timedelta(hours=48)),
    )
    pipeline = Pipeline().run(poor).run(better, now=START + timedelta(hours=48))
    assert pipeline.shown("cost_status") == [("unknown",)]


def test_a_poorer_report_of_another_trace_adds_its_owner_only() -> None:
    first = posted(call(1, response_id=ANSWER, usage=CACHED))
    second = posted(call(2, response_id=ANSWER, user_id="u-1", environment="prod"))
    pipeline = Pipeline().run(first, second)
    assert pipeline.shown("input_tokens", "user_id", "environment") == [(1000, "u-1", "prod")]


def test_owners_of_the_same_trace_are_no_correction() -> None:
    team = {**CLIENT, "agentmeter.team_id": "red"}
    pipeline = Pipeline().run(spans(CLIENT, 1), spans(team, 2))
    assert len([row for row in pipeline.exporter.event_rows if row.name == "llm.call"]) == 1


def test_a_report_reported_by_another_corrects_the_counted_one() -> None:
    """The second report was a duplicate itself; the third knows only that one's identity."""
    texts = [
        posted(call(1, response_id=ANSWER)),
        posted(call(2, response_id=ANSWER)),
        posted(call(2, usage=USED)),
    ]
    assert Pipeline().run(*texts).shown("id", *SHOWN[:3]) == [("llm.call-1", 1000, None, USD)]


def test_the_log_shows_the_corrected_call_alone() -> None:
    """In the stand-in's table and in the function that Azure runs."""
    second = replace(span(GATEWAY, 2), trace_id=OTHER_TRACE)
    columns = ("CacheReadTokens", "CostUsd", "Revision", "Count")
    assert logged([[span(CLIENT)], [second]], *columns) == [(900, CACHED_USD, 1, 1)]


def test_what_is_kept_can_be_read_again() -> None:
    kept = read_note('{"twins":["e:1"],"around":["e:2"]}')
    assert kept.claims("e:0") == {"e:1": "repeated", "e:2": "repeated"}


def test_what_lies_in_a_bare_wrapper_corrects_it() -> None:
    """The wrapper around two calls came first, and knew nothing of what was used."""
    wrapper = {n: v for n, v in NO_USAGE.items() if "response" not in n}
    inner = {n: v for n, v in CLIENT.items() if "response" not in n}
    texts = [exported(span(wrapper, 1, kind="internal", scope="framework"))]
    texts += [exported(span(inner, n, 1, scope=f"client{n}")) for n in (2, 3)]
    assert Pipeline().run(*texts).shown("input_tokens", "cost_usd") == [(1000, USD)]


def test_each_call_in_a_bare_wrapper_is_counted() -> None:
    """In any order: the wrapper stands for one of them, the other for itself, twins for neither."""
    wrapper = span({n: v for n, v in NO_USAGE.items() if "response" not in n}, 1, kind="internal")
    inner = {n: v for n, v in CLIENT.items() if "response" not in n}
    first = span(inner, 2, 1, scope="client")
    twin = span({**inner, "gen_ai.usage.cache_read.input_tokens": 900}, 3, 1, scope="other")
    second = span({**inner, "gen_ai.usage.input_tokens": 500}, 4, 1, scope="client")
    texts = [exported(one) for one in (wrapper, first, twin, second)]
    for order in permutations(texts):
        pipeline = Pipeline().run(*order).run(*order, delivery=2)
        assert pipeline.shown("input_tokens", "cache_read_tokens") == [(1000, 900), (500, None)]
        assert pipeline.counted()["llm_cost_usd_total"] == Decimal("0.004625")
