from collections.abc import Mapping
from datetime import timedelta

import pytest

from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Scalar, Span
from shared.events.types import AgentOperation, ErrorRaised, LlmCall, TaskOperation
from tests.fakes import START
from tests.spans import AGENT, BARE, CHAT, TOOL, TRACE, events, kinds, span


def test_an_agents_span_is_work_and_its_usage_is_its_calls() -> None:
    rolled_up = {**AGENT, **{name: CHAT[name] for name in CHAT if "usage" in name}}
    agent, call = events(span(rolled_up, 1, kind="internal"), span(CHAT, 2, 1))
    assert isinstance(agent.data, AgentOperation)
    assert (agent.data.agent_type, agent.data.operation) == ("planner", "invoke_agent")
    assert (agent.data.status, agent.data.duration_s) == ("success", 1.5)
    assert isinstance(call.data, LlmCall)


def test_an_agents_span_alone_is_not_priced_by_its_usage() -> None:
    assert kinds(span({**CHAT, **AGENT}, kind="client")) == [("agent.operation", "1")]


REMOTE = {**CHAT, **AGENT, "gen_ai.provider.name": "microsoft.foundry"}


def test_an_agent_that_runs_at_the_provider_is_the_record_of_its_calls() -> None:
    call, work = events(span(REMOTE))
    assert (call.type, call.id) == ("llm.call", f"{TRACE}:0000000000000001")
    assert (work.type, work.id) == ("agent.operation", f"{TRACE}:0000000000000001:agent")


def test_unless_a_call_of_it_is_seen() -> None:
    assert kinds(span(REMOTE, 1), span(CHAT, 2, 1)) == [("agent.operation", "1"), ("llm.call", "2")]


@pytest.mark.parametrize(
    ("outer", "inner", "counted"),
    [
        pytest.param(CHAT, CHAT, ["2"], id="both-count"),
        pytest.param(BARE, CHAT, ["2"], id="inner-counts"),
        pytest.param(CHAT, BARE, ["1"], id="outer-counts"),
        pytest.param(BARE, BARE, ["2"], id="neither-counts"),
    ],
)
def test_a_framework_around_a_client_library_is_one_call(
    outer: Mapping[str, Scalar], inner: Mapping[str, Scalar], counted: list[str]
) -> None:
    found = kinds(span(outer, 1), span({"x": 1}, 3, 1), span(inner, 2, 3))
    assert [number for _, number in found] == counted


def test_retries_inside_a_call_are_calls() -> None:
    failed = span(BARE, 2, 1, failed=True)
    found = kinds(span(CHAT, 1), failed, span(CHAT, 3, 1))
    assert found == [("llm.call", "2"), ("error", "2"), ("llm.call", "3")]


def test_of_two_spans_of_one_answer_the_one_that_counts_is_the_call() -> None:
    answer = {"gen_ai.response.id": "chatcmpl-0123456789abcdef0123"}
    assert kinds(span({**BARE, **answer}, 1), span({**CHAT, **answer}, 2)) == [("llm.call", "2")]


def test_answers_with_ids_that_are_not_unique_are_calls_of_their_own() -> None:
    answer = {"gen_ai.response.id": "chatcmpl-123"}
    assert len(kinds(span({**CHAT, **answer}, 1), span({**CHAT, **answer}, 2))) == 2


def test_an_embedding_inside_a_call_is_another_call() -> None:
    embedding = {**CHAT, "gen_ai.operation.name": "embeddings"}
    assert len(kinds(span(CHAT, 1), span(embedding, 2, 1))) == 2


def test_names_come_from_the_nearest_agent_above() -> None:
    team = {"team.id": "red", "session.id": "s1", "gen_ai.workflow.name": "month end"}
    top = span({**AGENT, **team, "gen_ai.agent.name": "boss", "gen_ai.agent.id": "b"}, 1)
    placeholder = {"gen_ai.agent.name": "OpenAI Agent", "gen_ai.agent.id": "agent"}
    found = events(
        top, span(AGENT, 2, 1), span({"x": 1}, 3, 2), span({**CHAT, **placeholder}, 4, 3)
    )
    data = found[-1].data
    assert isinstance(data, LlmCall)
    assert (data.agent_type, data.agent_id) == ("planner", "asst_1")
    assert (data.team_id, data.conversation_id, data.mission_id) == ("red", "s1", "month end")


def test_the_spans_own_names_count_first_and_the_service_stands_in_for_a_team() -> None:
    resource: dict[str, Scalar] = {
        "service.name": "checkout",
        "service.namespace": "shop",
        "deployment.environment.name": "prod",
    }
    own = {**CHAT, "gen_ai.agent.name": "clerk", "tenant.id": "acme", "mission.id": "m1"}
    found = events(span(AGENT, 1, resource=resource), span(own, 2, 1, resource=resource))
    call = found[1]
    assert isinstance(call.data, LlmCall)
    assert (call.source, call.data.team_id, call.data.environment) == ("checkout", "shop", "prod")
    assert (call.data.agent_type, call.data.tenant) == ("clerk", "acme")
    assert call.data.mission_id == "m1"


def test_an_unnamed_service_is_no_team() -> None:
    (call,) = events(span(CHAT, resource={"service.name": "unknown_service:python"}))
    assert (call.source, call.data.team_id) == ("opentelemetry", None)


def test_tools_are_tasks() -> None:
    (task,) = events(span(TOOL, kind="internal"))
    assert isinstance(task.data, TaskOperation)
    assert (task.data.operation, task.data.status) == ("execute_tool search", "success")


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"traceloop.span.kind": "agent", "traceloop.entity.name": "a"}, ["agent.operation"]),
        ({"traceloop.span.kind": "workflow", "traceloop.workflow.name": "w"}, ["agent.operation"]),
        ({"traceloop.span.kind": "tool", "traceloop.entity.name": "t"}, ["task.operation"]),
        ({"traceloop.span.kind": "task", "traceloop.entity.name": "t"}, []),
        ({"openinference.span.kind": "AGENT", "agent.name": "a"}, ["agent.operation"]),
        ({"openinference.span.kind": "TOOL", "tool.name": "t"}, ["task.operation"]),
        ({"openinference.span.kind": "RETRIEVER"}, ["task.operation"]),
        ({"openinference.span.kind": "CHAIN"}, []),
        ({"gen_ai.operation.name": "search_memory"}, ["task.operation"]),
        ({"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "a"}, ["agent.operation"]),
    ],
)
def test_every_convention_of_agents_and_tools(
    attributes: dict[str, Scalar], found: list[str]
) -> None:
    assert [event.type for event in events(span(attributes))] == found


def test_an_error_counts_where_it_arose() -> None:
    spans = (
        span(AGENT, 1, failed=True),
        span({"x": 1}, 2, 1, failed=True),
        span({**TOOL, "error.type": "Timeout"}, 3, 2, failed=True, message="took too long"),
    )
    errors = [event for event in events(*spans) if isinstance(event.data, ErrorRaised)]
    (error,) = errors
    assert error.id.endswith("3:error")
    assert isinstance(error.data, ErrorRaised)
    assert (error.data.component, error.data.error_type) == ("search", "Timeout")
    assert error.data.message == "took too long"


def test_another_error_above_is_an_error_of_its_own() -> None:
    found = kinds(
        span({**AGENT, "error.type": "Budget"}, 1, failed=True),
        span({**TOOL, "error.type": "Timeout"}, 2, 1, failed=True),
    )
    assert [number for kind, number in found if kind == "error"] == ["1", "2"]


def test_other_spans_are_counted_and_left_alone() -> None:
    reading = read_spans([span({"http.method": "POST"}), span(CHAT, 2)], START, 0)
    assert (reading.ignored, len(reading.parcels)) == (1, 1)


def test_the_same_spans_again_are_the_same_events() -> None:
    spans = [span(AGENT, 1, failed=True), span(CHAT, 2, 1)]
    assert events(*spans) == events(*spans)


def test_a_span_twice_in_a_request_and_a_circle_of_parents_do_no_harm() -> None:
    found = kinds(span(CHAT, 1, 2), span(AGENT, 2, 1), span(CHAT, 1, 2))
    assert sorted(found) == [("agent.operation", "2"), ("llm.call", "1")]


def test_a_span_without_times_happened_when_it_came() -> None:
    timeless = Span(TRACE, "00000000000000aa", attributes=dict(CHAT))
    (event,) = events(timeless)
    assert event.time == START
    assert isinstance(event.data, LlmCall)
    assert event.data.duration_s is None


def test_a_call_has_the_time_of_its_begin_and_work_of_its_end() -> None:
    agent, call = events(span(AGENT, 1), span(CHAT, 2, 1))
    assert (call.time, agent.time) == (START - timedelta(seconds=1.5), START)


def test_a_span_of_unknown_words_that_counts_tokens_is_named() -> None:
    strange = span({"my.tokens.in": 7}, scope="house.sdk")
    reading = read_spans([strange, span({"auth.token": "secret"}, 2, scope="auth")], START, 0)
    assert reading.unread == {"house.sdk": 1}
