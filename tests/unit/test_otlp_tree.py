from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.events.otlp import twins
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.record import Record, record_of
from shared.events.otlp.relate import MOST_ERRORS, relate
from shared.events.otlp.span import Scalar, Span
from shared.events.types import AgentOperation, AnyEvent, ErrorRaised, LlmCall, TaskOperation
from tests.fakes import START
from tests.spans import CHAT, TRACE, span

AGENT: Mapping[str, Scalar] = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "planner",
    "gen_ai.agent.id": "asst_1",
}
TOOL: Mapping[str, Scalar] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "search",
    "gen_ai.tool.call.arguments": "the words of a prompt",
}
BARE: dict[str, Scalar] = {name: CHAT[name] for name in CHAT if "usage" not in name}


def events(*spans: Span) -> list[AnyEvent]:
    reading = read_spans(spans, START, 0)
    assert reading.refused == ()
    return [event for parcel in reading.parcels for event in parcel.events]


def kinds(*spans: Span) -> list[tuple[str, str]]:
    """Return type and the last digit of the span of each event."""
    return [(event.type, event.id.split(":")[1][-1]) for event in events(*spans)]


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


def test_a_call_has_the_time_of_its_begin_and_work_of_its_end() -> None:
    agent, call = events(span(AGENT, 1), span(CHAT, 2, 1))
    assert (call.time, agent.time) == (START - timedelta(seconds=1.5), START)


def test_a_span_of_unknown_words_that_counts_tokens_is_named() -> None:
    strange = span({"my.tokens.in": 7}, scope="house.sdk")
    reading = read_spans([strange, span({"auth.token": "secret"}, 2, scope="auth")], START, 0)
    assert reading.unread == ("house.sdk",)


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
