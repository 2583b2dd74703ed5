"""What is kept of a span that is written beside its event."""

from collections.abc import Mapping

import pytest

from shared.events.carried_span import CarriedSpan
from shared.events.message import MAX_MESSAGE_CHARS, decode, pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Scalar, Span
from tests.fakes import START
from tests.spans import AGENT, CHAT, span, unix_ns

SECRET = "the words of a prompt"  # noqa: S105 - what must not be kept
CONTENT = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "gen_ai.agent.description",
    "gen_ai.retrieval.query.text",
    "gen_ai.usage.raw",
    "input.value",
    "output.value",
    "llm.input_messages.0.message.content",
    "llm.output_messages.0.message.content",
    "llm.invocation_parameters",
    "llm.prompts.0",
    "llm.prompt_template.variables",
    "embedding.embeddings.0.embedding.text",
    "retrieval.documents.0.document.content",
    "tool.parameters",
    "tool.description",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "pydantic_ai.all_messages",
    "final_result",
    "request_data",
    "response_data",
    "tool_arguments",
    "tool_response",
    "logfire.msg",
    "some.attribute.of.tomorrow",
)


def carried(*spans: Span, chars: int = 0) -> list[CarriedSpan]:
    reading = read_spans(spans, START, chars)
    return [one for parcel in reading.parcels for one in parcel.spans]


@pytest.mark.parametrize("name", CONTENT)
def test_no_words_of_prompts_or_answers_are_kept(name: str) -> None:
    (kept,) = carried(span({**CHAT, name: SECRET}))
    assert SECRET not in kept.model_dump_json()


def test_content_is_kept_where_it_is_asked_for_cut_to_length() -> None:
    (kept,) = carried(span({**CHAT, "gen_ai.input.messages": SECRET}), chars=9)
    assert kept.attributes["gen_ai.input.messages"] == SECRET[:9]


def test_a_long_text_is_no_name_and_is_not_kept() -> None:
    (kept,) = carried(span({**CHAT, "gen_ai.conversation.id": SECRET * 20}))
    assert SECRET not in kept.model_dump_json()


def test_names_that_mean_something_else_to_azure_monitor_are_left_out() -> None:
    strange = {"http.request.method": "POST", "db.system": "x", "_MS.sampleRate": 1.0}
    odd = {**strange, "microsoft.custom_measurements": "{}", "session.id": "s", "error.type": "x"}
    (kept,) = carried(span({**CHAT, **odd}), chars=100)
    assert not odd.keys() & kept.attributes.keys()


def test_ids_times_and_normal_names() -> None:
    old: Mapping[str, Scalar] = {
        "openinference.span.kind": "LLM",
        "llm.system": "openai",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 1000,
        "llm.token_count.completion": 100,
    }
    agent, call = carried(span(AGENT, 1), span(old, 2, 1, kind="internal"))
    assert (call.trace_id, call.span_id, call.parent_id) == (
        agent.trace_id,
        "0" * 15 + "2",
        agent.span_id,
    )
    assert (call.start_ns, call.duration_ns) == (unix_ns(START) - 1_500_000_000, 1_500_000_000)
    assert (call.role, call.client, agent.failed) == ("checkout", True, False)
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
        "gen_ai.agent.name": "planner",
        "microsoft.gen_ai.main_agent.name": "planner",
    }.items() <= call.attributes.items()


def test_only_the_record_of_a_call_says_what_was_used() -> None:
    outer, inner = carried(span(CHAT, 1), span(CHAT, 2, 1))
    assert not any(name.startswith("gen_ai.usage") for name in outer.attributes)
    assert inner.attributes["gen_ai.usage.input_tokens"] == 1000


def test_the_main_agent_is_only_known_with_the_root() -> None:
    (cut_off,) = carried(span({**CHAT, "gen_ai.agent.name": "clerk"}, 2, 1))
    assert "microsoft.gen_ai.main_agent.name" not in cut_off.attributes


def test_a_span_of_any_size_fits_a_message() -> None:
    huge = {f"{number:04x}" * 20: chr(0x4E00 + number) * 8000 for number in range(400)}
    reading = read_spans([span({**CHAT, **huge}, n) for n in (1, 2)], START, 8000)
    texts = pack_parcels(reading.parcels, START)
    assert all(len(text) <= MAX_MESSAGE_CHARS for text in texts)
    assert sum(len(decode(text).events) for text in texts) == 2
