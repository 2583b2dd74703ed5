"""Log records of coding agents and GenAI events tell calls, tools' work and errors, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.events.otlp.log import Log, span_of
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Scalar, Span
from shared.events.types import AnyEvent, LlmCall, TaskOperation
from tests.coding_agents import recorded
from tests.fakes import START
from tests.spans import CHAT, SERVICE, TRACE, span, unix_ns
from tests.unit.test_trace_memory import rows

DETAILS = "gen_ai.client.inference.operation.details"
CLAUDE = "com.anthropic.claude_code.events"
PARTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def log(
    attributes: Mapping[str, Scalar],
    name: str = DETAILS,
    *,
    parent: int = 0,
    scope: str = "tests.events",
    resource: Mapping[str, Scalar] = SERVICE,
    body: str = "",
) -> Span:
    """Return what stands for a log record; parent: the span it was written in, 0 for none."""
    made = Log(
        *(name, body, unix_ns(START)),
        trace_id=TRACE if parent else "",
        span_id=f"{parent:016x}" if parent else "",
        attributes=attributes,
        resource=resource,
        scope=scope,
    )
    return span_of(made)


def events(spans: Sequence[Span]) -> list[AnyEvent]:
    reading = read_spans(spans, START, 0)
    assert (reading.refused, reading.unread, reading.corrected) == ((), {}, ())
    return [event for parcel in reading.parcels for event in parcel.events]


def calls(spans: Sequence[Span]) -> list[LlmCall]:
    return [event.data for event in events(spans) if isinstance(event.data, LlmCall)]


def counts(call: LlmCall) -> tuple[int, ...]:
    assert call.usage
    return tuple(getattr(call.usage, name) for name in (*PARTS, "reasoning_tokens"))


@pytest.mark.parametrize(
    ("name", "provider", "model", "size", "number"),
    [
        pytest.param(
            *("claude_code.logs", "anthropic", "claude-sonnet-4-5-20250929"),
            *((1400, 80, 1000, 300, 0), 2),
            id="claude-code",
        ),
        pytest.param(
            *("codex.logs", "openai", "gpt-5.1-codex", (1200, 80, 1024, 0, 30), 2), id="codex"
        ),
        pytest.param(
            *("codex.traces", "openai", "gpt-5.1-codex", (1200, 80, 1024, 0, 30), 2),
            id="codex-spans",
        ),
        pytest.param(
            *("gemini_cli.logs", "gcp.gemini", "gemini-2.5-pro", (1200, 110, 1024, 0, 30), 1),
            id="gemini-cli",
        ),
    ],
)
def test_recorded_calls_are_reported_exactly(
    name: str, provider: str, model: str, size: tuple[int, ...], number: int
) -> None:
    found = calls(recorded(name))
    stated = {(call.provider, call.model, counts(call), call.doubts) for call in found}
    assert (stated, len(found)) == ({(provider, model, size, ())}, number)


def test_a_claude_code_event_names_owner_answer_and_cost() -> None:
    call = calls(recorded("claude_code.logs"))[0]
    assert call.usage
    assert call.usage.cache_write_1h_tokens == 100
    assert (call.agent_type, call.team_id, call.cost_usd) == (
        *("claude-code", "red"),
        Decimal("0.00315"),
    )
    assert call.conversation_id == "e51d81ef-ebc8-44aa-9c28-e75b7962d4e8"
    assert (call.response_id, call.duration_s) == ("req_000000000000000000000001", 0.086)


@pytest.mark.parametrize(
    ("name", "operation", "call_id"),
    [
        ("claude_code.logs", "execute_tool Bash", "toolu_01"),
        ("claude_code.traces", "execute_tool Bash", "toolu_01"),
        ("codex.logs", "execute_tool exec_command", "call_1"),
    ],
)
def test_a_tools_work_is_one_operation(name: str, operation: str, call_id: str) -> None:
    found = [e.data for e in events(recorded(name)) if isinstance(e.data, TaskOperation)]
    assert [(task.operation, task.status, task.call_id) for task in found] == [
        (operation, "success", call_id)
    ]


@pytest.mark.parametrize(
    ("name", "error"), [("claude_code_refused.logs", "400"), ("codex_refused.logs", "400")]
)
def test_a_refused_request_is_a_failed_call_and_an_error(name: str, error: str) -> None:
    found = events(recorded(name))
    assert [event.type for event in found] == ["llm.call", "error"]
    (call,) = calls(recorded(name))
    assert (call.status, call.error_type, call.usage) == ("error", error, None)


@pytest.mark.parametrize(
    "names",
    [
        ("claude_code.logs", "claude_code.traces"),
        ("claude_code.traces", "claude_code.logs"),
        ("codex.logs", "codex.traces"),
        ("codex.traces", "codex.logs"),
        ("gemini_cli.logs", "gemini_cli.traces"),
        ("claude_code.logs", "claude_code.logs", "claude_code.traces"),
    ],
)
def test_spans_and_logs_of_a_call_count_once(names: tuple[str, ...]) -> None:
    messages = [recorded(name) for name in names]
    wanted = 1 if "gemini_cli.logs" in names else 2
    assert len(rows(messages)) == wanted
    assert len(rows(messages, "task.operation")) == wanted - 1


@pytest.mark.parametrize("kind", ["llm.call", "error"])
@pytest.mark.parametrize("logs_first", [False, True])
def test_a_refused_call_is_reported_once(kind: str, logs_first: bool) -> None:
    messages = [recorded("claude_code_refused.traces"), recorded("claude_code_refused.logs")]
    assert len(rows(messages[::-1] if logs_first else messages, kind)) == 1


def test_a_failed_call_without_an_id_is_reported_once() -> None:
    resource = {"service.name": "claude-code"}
    said: dict[str, Scalar] = {"model": "claude-sonnet-4-5", "error": "Connection error."}
    event = log(said, "api_error", parent=1, scope=CLAUDE, resource=resource)
    request = replace(
        span(said, 2, 1, name="claude_code.llm_request", failed=True, resource=resource),
        scope="com.anthropic.claude_code.tracing",
    )
    named = replace(event, name="claude_code.api_error")
    assert [len(rows([[request], [named]], kind)) for kind in ("llm.call", "error")] == [1, 1]
    assert [len(rows([[named], [request]], kind)) for kind in ("llm.call", "error")] == [1, 1]


@pytest.mark.parametrize("log_first", [False, True])
def test_a_genai_event_is_the_call_of_its_span(log_first: bool) -> None:
    messages = [[span(CHAT, 1)], [log(CHAT, parent=1)]]
    assert len(rows(messages[::-1] if log_first else messages)) == 1


def test_a_genai_event_without_a_trace_is_a_call() -> None:
    (call,) = calls([log(CHAT)])
    assert (call.provider, call.model, counts(call)[:2]) == ("openai", "gpt-4o", (1000, 100))


def test_an_event_that_only_asks_or_shows_is_no_call() -> None:
    request = {name: value for name, value in CHAT.items() if "usage" not in name}
    choice = log({"gen_ai.system": "openai", "index": 0}, "gen_ai.choice", parent=1)
    failed = {**request, "exception.type": "System.TimeoutException"}
    exception = log(failed, "gen_ai.client.operation.exception", parent=1)
    assert events([log(request), choice, exception]) == []


def test_an_event_that_names_its_answer_is_a_call_of_unknown_size() -> None:
    request = {name: value for name, value in CHAT.items() if "usage" not in name}
    (call,) = calls([log({**request, "gen_ai.response.id": "chatcmpl-1"})])
    assert call.usage is None


def test_a_record_sent_again_is_the_same_event() -> None:
    (one,), (other,) = events([log(CHAT)]), events([log(CHAT)])
    (third,) = events([log({**CHAT, "gen_ai.usage.output_tokens": 101})])
    assert one.id == other.id != third.id


def test_records_of_other_matters_are_ignored() -> None:
    plain = log({"session.id": "s", "user.id": "u"}, "", body="GET / 200")
    reading = read_spans([plain], START, 0)
    assert (reading.parcels, reading.ignored, reading.unread) == ((), 1, {})


def test_a_record_that_counts_tokens_in_unknown_words_is_named() -> None:
    reading = read_spans([log({"InputTokenCount": 7}, "", scope="Odd")], START, 0)
    assert reading.unread == {"Odd": 1}


@pytest.mark.parametrize(
    ("stated", "provider"),
    [("firstParty", "anthropic"), ("bedrock", "aws.bedrock"), ("vertex", "gcp.vertex_ai")],
)
def test_claude_code_names_who_sells(stated: str, provider: str) -> None:
    used = {"model": "m", "input_tokens": 5, "output_tokens": 1, "anthropic.provider": stated}
    (call,) = calls([log(used, "claude_code.api_request", scope=CLAUDE)])
    assert call.provider == provider


def test_gemini_counts_what_its_tools_said_as_input() -> None:
    used: dict[str, Scalar] = {
        "model": "gemini-2.5-pro",
        "input_token_count": 1000,
        "output_token_count": 80,
        "tool_token_count": 200,
        "total_token_count": 1280,
    }
    (call,) = calls([log(used, "gemini_cli.api_response", scope="gemini-cli")])
    assert (counts(call)[:2], call.doubts) == ((1200, 80), ())


def test_prompts_and_code_are_dropped() -> None:
    words = "the words of a prompt"
    attributes = {**CHAT, "prompt": words, "gen_ai.input.messages": words, "tool_input": words}
    reading = read_spans([log(attributes, parent=1), *recorded("codex.logs")], START, 0)
    (parcel, *_) = reading.parcels
    assert parcel.spans
    assert words not in repr(reading)
    assert "echo hello" not in repr(reading)
