"""Real instrumentation packages export to the laptop's stack: each call is there once, exactly."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.clock import SystemClock
from tests.fakes import FakeClock
from tests.journeys import instrumented as programs
from tests.journeys.laptop import Laptop, laptop
from tests.llm_server import answer
from tests.loopback import Loopback, loopback

pytestmark = [
    pytest.mark.instrumentations,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("instrumentations"),
]
Call = tuple[str, int | None, int | None, float | None]
"""Status, input tokens, output tokens, US dollars."""
GPT: Call = ("success", 1200, 80, 0.00252)
"""176 new and 1,024 cached tokens in, 80 out, at $2.50, $1.25 and $10 a million."""
WHOLE_GPT: Call = ("success", 1200, 80, 0.0038)
"""The same without word of the cache."""
CLAUDE: Call = ("success", 1400, 80, 0.00315)
"""100 new, 1,000 cached, 200 and 100 written for 5 minutes and an hour, 80 out: at $3, $0.30,
$3.75, $6 and $15 a million."""
UNSTATED: Call = ("success", None, None, None)
"""A stream whose sender did not ask for the usage: what it cost is unknown, and not nothing."""
VECTOR: Call = ("success", 7, 0, 1.4e-07)
REFUSED: Call = ("error", None, None, 0.0)
OPENAI: list[Call] = [GPT, GPT, GPT, GPT, UNSTATED, VECTOR, REFUSED]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop(tmp_path_factory.mktemp("laptop"), FakeClock(SystemClock().now())) as running:
        yield running


@pytest.fixture(scope="module")
def llm() -> Iterator[Loopback]:
    with loopback(answer) as server:
        yield server


def export(box: Laptop, llm: Loopback, service: str, environment: str, *parts: str) -> None:
    """Run an agent that needs no more than OpenTelemetry's own settings, then drain the queue."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": box.stack.app_url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-functions-key={box.stack.places.key()}",
        "OTEL_SERVICE_NAME": service,
        "LLM_URL": llm.url,
    }
    programs.run(environment, "".join(parts), settings)
    box.stack.host.drain()


def calls(box: Laptop, service: str) -> list[Call]:
    kql = (
        f'UsageEvents | where Source == "{service}" and Name == "llm.call" '
        "| project Status, InputTokens, OutputTokens, round(CostUsd, 12)"
    )
    return [(row[0], row[1], row[2], row[3]) for row in box.query(kql)]


def portal(box: Laptop, service: str) -> list[list[Any]]:
    """Return what the portal's view of agents would add up, by type of dependency."""
    cost = "todouble(Properties['microsoft.gen_ai.cost.{}'])"
    kql = (
        f'AppDependencies | where AppRoleName == "{service}" '
        f"| summarize usd = sum({cost.format('input')}) + sum({cost.format('output')}) "
        "by DependencyType"
    )
    return box.query(kql)


def in_order(found: list[Call]) -> list[str]:
    return sorted(map(str, found))


@pytest.mark.parametrize(
    ("service", "instrumentation"),
    [
        ("genai-openai", programs.GENAI_OPENAI),
        ("openllmetry", programs.OPENLLMETRY),
        ("openinference", programs.OPENINFERENCE),
        ("all", programs.GENAI_OPENAI + programs.OPENLLMETRY + programs.OPENINFERENCE),
    ],
)
def test_each_call_of_openais_client_is_counted_once_and_priced(
    box: Laptop, llm: Loopback, service: str, instrumentation: str
) -> None:
    parts = (programs.EXPORTING, instrumentation, programs.OPENAI_CALLS, programs.END)
    export(box, llm, service, "openai", *parts)
    assert in_order(calls(box, service)) == in_order(OPENAI)
    assert portal(box, service) == [["GenAI | openai", pytest.approx(4 * 0.00252 + 1.4e-07)]]


def test_the_exporter_of_json_brings_the_same(box: Laptop, llm: Loopback) -> None:
    exporting = (programs.EXPORTING_JSON, programs.GENAI_OPENAI)
    export(box, llm, "json", "openai", *exporting, programs.OPENAI_CALLS, programs.END)
    assert in_order(calls(box, "json")) == in_order(OPENAI)


def test_each_call_of_anthropics_client_is_counted_once_and_priced(
    box: Laptop, llm: Loopback
) -> None:
    export(box, llm, "claude", "anthropic", programs.EXPORTING, programs.ANTHROPIC, programs.END)
    assert calls(box, "claude") == [CLAUDE] * 3


def test_each_call_that_logfire_sees_is_counted_once_though_streams_are_two_spans(
    box: Laptop, llm: Loopback
) -> None:
    parts = (programs.LOGFIRE, programs.OPENAI_CALLS, programs.LOGFIRE_END)
    export(box, llm, "logfire", "logfire", *parts)
    assert in_order(calls(box, "logfire")) == in_order(OPENAI)


def test_openlit_guesses_where_it_knows_no_usage(box: Laptop, llm: Loopback) -> None:
    parts = (programs.OPENLIT, programs.OPENAI_CALLS, programs.OPENLIT_END)
    export(box, llm, "openlit", "openlit", *parts)
    found = calls(box, "openlit")
    assert found.count(GPT) == 4
    assert VECTOR in found
    assert REFUSED in found
    assert len(found) == len(OPENAI)


def test_pydantic_ais_agent_is_work_beside_its_calls(box: Laptop, llm: Loopback) -> None:
    parts = (programs.EXPORTING, programs.PYDANTIC_AI, programs.END)
    export(box, llm, "pydantic", "pydantic-ai", *parts)
    assert calls(box, "pydantic") == [GPT, GPT]
    assert agents(box, "pydantic") == [
        ["planner", "agent.operation", 2],
        ["planner", "llm.call", 2],
    ]


def test_openais_agents_are_work_beside_their_calls(box: Laptop, llm: Loopback) -> None:
    parts = (programs.EXPORTING, programs.OPENAI_AGENTS, programs.END)
    export(box, llm, "agents", "openai-agents", *parts)
    assert calls(box, "agents") == [WHOLE_GPT, WHOLE_GPT]
    assert ["planner", "llm.call", 2] in agents(box, "agents")
    assert ["planner", "agent.operation", 2] in agents(box, "agents")


def agents(box: Laptop, service: str) -> list[list[Any]]:
    kql = (
        f'UsageEvents | where Source == "{service}" | summarize n = count() by AgentType, Name '
        "| order by AgentType asc, Name asc"
    )
    return box.query(kql)


def test_no_words_of_a_prompt_are_stored(box: Laptop, llm: Loopback) -> None:
    parts = (programs.EXPORTING, programs.OPENLLMETRY, programs.OPENAI_CALLS, programs.END)
    export(box, llm, "words", "openai", *parts)
    for table in ("AppEvents", "AppDependencies"):
        stored = str(box.query(f"{table} | project Properties"))
        assert "gpt-4o" in stored
        assert "the words" not in stored
