"""Whose work a call is, is shown rightly whichever message told it, and however late."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

from shared.events.columns import OWNER_ROW
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.record import record_of
from shared.events.otlp.relate import relate
from shared.events.otlp.span import Scalar, Span
from shared.usecases.processing.late_owners import MOST_OF_A_ROW, late_owners
from tests.fakes import START
from tests.span_log import logged
from tests.spans import CHAT, TRACE, span
from tests.unit.test_trace_memory import rows

WHO = ("AgentType", "TeamId", "MissionId", "ConversationId", "UserId", "Tenant", "Environment")
AGENT: dict[str, Scalar] = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "planner",
    "agentmeter.team_id": "red",
    "agentmeter.mission_id": "m-7",
    "gen_ai.conversation.id": "c-7",
    "user.id": "u-1",
    "tenant.id": "acme",
    "deployment.environment": "prod",
}
OWNER = ("planner", "red", "m-7", "c-7", "u-1", "acme", "prod")
NOBODY = ("", "checkout", "", "", "", "", "")


def agent(number: int, parent: int = 0, said: Mapping[str, Scalar] = AGENT) -> Span:
    stated = {"gen_ai.operation.name": "invoke_agent", **said}
    return span(stated, number, parent, kind="internal", name="invoke_agent")


CHAIN = (
    agent(1, 0, {"team.id": "red"}),
    span({}, 2, 1, kind="internal", name="step"),
    agent(3, 2, {"gen_ai.agent.name": "planner"}),
    span(CHAT, 4, 3),
)


def test_a_parent_in_a_later_message_owns_the_call() -> None:
    assert logged([[span(CHAT, 2, 1)], [agent(1)]], *WHO) == [OWNER]


def test_a_call_without_a_late_parent_keeps_its_own_owner() -> None:
    assert logged([[span(CHAT, 2, 1)], [agent(3)]], *WHO) == [NOBODY]


def test_a_chain_in_any_order_owns_the_call() -> None:
    orders = list(permutations(CHAIN))
    messages = [
        [replace(one, trace_id=f"{n:02x}" + TRACE[2:])]
        for n, order in enumerate(orders)
        for one in order
    ]
    assert logged(messages, "AgentType", "TeamId") == [("planner", "red")] * len(orders)


def test_messages_sent_twice_change_nothing() -> None:
    messages = [[one] for one in CHAIN[::-1]]
    assert logged([*messages, *messages], "AgentType", "TeamId") == [("planner", "red")]


def test_a_twins_owner_is_the_calls() -> None:
    twin = span({**CHAT, "gen_ai.conversation.id": "c-7"}, 2, 9, scope="other")
    found = logged([[span(CHAT, 1, 9)], [twin]], "ConversationId", "InputTokens")
    assert found == [("c-7", 1000)]


def test_two_agents_of_a_trace_own_their_own_calls() -> None:
    names = {5: "writer", 6: "critic"}
    calls = [span(CHAT, n, parent) for n, parent in ((1, 5), (2, 5), (3, 6))]
    agents = [agent(n, 9, {"gen_ai.agent.name": name}) for n, name in names.items()]
    messages = [[one] for one in (*calls, *agents, agent(9, 0, {"team.id": "red"}))]
    found = logged(messages, "AgentType", "TeamId")
    assert found == [("critic", "red"), ("writer", "red"), ("writer", "red")]


def test_calls_of_two_minutes_are_both_corrected() -> None:
    call = span(CHAT, 2, 1)
    earlier = replace(span(CHAT, 3, 1), start_ns=call.start_ns - 300 * 10**9)
    messages = [[call, earlier], [agent(1)]]
    assert logged(messages, "AgentType") == [("planner",)] * 2
    minutes = {row.time.replace(second=0, microsecond=0) for row in rows(messages, OWNER_ROW)}
    assert len(minutes) == 2


def test_a_late_owner_of_one_trace_is_one_row() -> None:
    calls = [span(CHAT, n, 1) for n in range(2, 50)]
    assert len(rows([calls, [agent(1)]], OWNER_ROW)) == 1


def test_a_parent_known_before_makes_no_row() -> None:
    assert rows([[agent(1)], [span(CHAT, 2, 1)]], OWNER_ROW) == []


def test_a_row_names_no_more_spans_than_a_property_holds() -> None:
    calls = [record_of(span(CHAT, n, 1)) for n in range(2, 1002)]
    nodes = relate([*calls, record_of(agent(1))])
    found = list(late_owners(calls, nodes, {TRACE}, START + timedelta(minutes=1)))
    named = [row.text["spans"].split(",") for row in found]
    assert [len(spans) for spans in named] == [MOST_OF_A_ROW, MOST_OF_A_ROW, 200]
    assert all(len(text) <= 8192 for row in found for text in row.text.values())


def test_a_span_too_short_to_be_around_a_call_is_not_kept() -> None:
    step = span({}, 3, 1, kind="internal")
    short = replace(step, end_ns=step.start_ns + 10**6)
    kept = [read_spans([one], START, 0).parcels for one in (step, short)]
    assert list(map(len, kept)) == [1, 0]


def test_shuffled_traces_have_their_owners() -> None:
    traces = [[replace(one, trace_id=f"{n:02x}" + TRACE[2:]) for one in CHAIN] for n in range(1, 9)]
    messages = [[one] for trace in traces for one in trace]
    random.Random(3).shuffle(messages)
    assert logged(messages, "AgentType", "TeamId") == [("planner", "red")] * 8
