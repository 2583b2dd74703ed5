"""What one program of each dialect sends, shortened, and what it means: a recording each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.events.otlp.span import Kind, Scalar, Span
from tests.coding_agents import recorded
from tests.spans import SERVICE, span

Attributes = Mapping[str, Scalar]


@dataclass(frozen=True)
class Told:
    """A call as it must be told. counts: input, output, cache read, cache write, reasoning."""

    provider: str
    model: str
    counts: tuple[int, int, int, int, int] | None
    agent: str | None = None
    conversation: str | None = None
    team: str = "checkout"
    user: str | None = None
    status: str = "success"
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """spans: of one trace, parents first. told: the calls that they tell, in any order."""

    dialect: str
    spans: Sequence[Span]
    told: Sequence[Told]


def sent(
    name: str,
    attributes: Attributes,
    number: int,
    parent: int = 0,
    scope: str = "",
    *,
    kind: Kind = "internal",
    failed: bool = False,
) -> Span:
    """Return a span as it is sent; outer ones begin before and end after those inside them."""
    made = span(
        attributes,
        number,
        parent,
        name=name,
        resource=SERVICE,
        scope=scope,
        kind=kind,
        failed=failed,
    )
    lead = number * 1_000_000
    return replace(made, start_ns=made.start_ns + lead, end_ns=made.end_ns - lead)


def _vercel() -> Recording:
    about: Attributes = {
        "ai.telemetry.functionId": "planner",
        "ai.telemetry.metadata.sessionId": "c-7",
        "ai.telemetry.metadata.userId": "u-1",
        "ai.model.provider": "openai.chat",
        "ai.model.id": "gpt-4o",
    }
    used: Attributes = {"ai.usage.inputTokens": 2006, "ai.usage.outputTokens": 300}
    call: Attributes = {
        **about,
        **used,
        "ai.operationId": "ai.generateText.doGenerate",
        "gen_ai.system": "openai.chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.id": "chatcmpl-0123456789abcdef0123",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 2006,
        "gen_ai.usage.output_tokens": 300,
        "ai.usage.cachedInputTokens": 1920,
        "ai.usage.reasoningTokens": 100,
    }
    embed: Attributes = {
        **about,
        "ai.operationId": "ai.embed.doEmbed",
        "ai.model.provider": "openai.embedding",
        "ai.model.id": "text-embedding-3-small",
        "ai.usage.tokens": 88,
    }
    stream: Attributes = {
        **about,
        "ai.operationId": "ai.streamText.doStream",
        "gen_ai.system": "openai.chat",
        "gen_ai.request.model": "gpt-4o",
    }
    ai = "ai"
    told = Told("openai.chat", "gpt-4o", None, "planner", "c-7", user="u-1")
    embedded = replace(told, provider="openai.embedding", model="text-embedding-3-small")
    return Recording(
        "Vercel AI SDK",
        [
            sent(
                "ai.generateText", {**about, **used, "ai.operationId": "ai.generateText"}, 1, 0, ai
            ),
            sent("ai.generateText.doGenerate", call, 2, 1, ai),
            sent(
                "ai.toolCall", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "f"}, 3, 1, ai
            ),
            sent(
                "ai.embed", {**about, "ai.operationId": "ai.embed", "ai.usage.tokens": 88}, 4, 0, ai
            ),
            sent("ai.embed.doEmbed", embed, 5, 4, ai),
            sent("ai.streamText.doStream", stream, 6, 0, ai, failed=True),
        ],
        [
            replace(told, counts=(2006, 300, 1920, 0, 100)),
            replace(embedded, counts=(88, 0, 0, 0, 0)),
            replace(told, status="error"),
        ],
    )


def _langfuse() -> Recording:
    root: Attributes = {
        "langfuse.observation.type": "agent",
        "langfuse.session.id": "c-7",
        "langfuse.user.id": "u-1",
        "gen_ai.agent.name": "planner",
    }
    usage = '{"prompt_tokens": 1200, "completion_tokens": 350, "total_tokens": 1550,'
    raw = usage + ' "prompt_tokens_details": {"cached_tokens": 1024}}'
    own = '{"input": 176, "input_cached_tokens": 1024, "output": 350, "total": 1550}'
    model = {"langfuse.observation.model.name": "gpt-4o-2024-08-06"}
    kind = {"langfuse.observation.type": "generation"}
    details = "langfuse.observation.usage_details"
    size = (1200, 350, 1024, 0, 0)
    told = Told("unknown", "gpt-4o-2024-08-06", size, "planner", "c-7", user="u-1")
    return Recording(
        "Langfuse SDK",
        [
            sent("planner", root, 1, 0, "langfuse-sdk"),
            sent("OpenAI-generation", {**kind, **model, details: raw}, 2, 1, "langfuse-sdk"),
            sent("generation", {**kind, **model, details: own}, 3, 1, "langfuse-sdk"),
            sent("step", {"langfuse.observation.type": "span"}, 4, 1, "langfuse-sdk"),
        ],
        [told, told],
    )


def _litellm() -> Recording:
    call: Attributes = {
        "gen_ai.operation.name": "acompletion",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.id": "chatcmpl-0123456789abcdef0123",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 350,
        "gen_ai.cost.total_cost": 0.00522,
        "metadata.usage_object": "{'completion_tokens': 350, 'prompt_tokens': 1200,"
        " 'prompt_tokens_details': {'cached_tokens': 1024, 'audio_tokens': None}}",
        "metadata.user_api_key_team_id": "red",
        "metadata.user_api_key_alias": "planner",
    }
    hit: Attributes = {**call, "metadata.cache_hit": "True", "gen_ai.response.id": "x"}
    return Recording(
        "LiteLLM",
        [
            sent("Received Proxy Server Request", {"http.route": "/chat"}, 1, 0, "litellm"),
            sent("litellm_request", call, 2, 1, "litellm", kind="client"),
            sent("litellm_request", hit, 3, 1, "litellm", kind="client"),
        ],
        [Told("openai", "gpt-4o", (1200, 350, 1024, 0, 0), "planner", team="red")],
    )


def _claude_code() -> Recording:
    call: Attributes = {
        "span.type": "llm_request",
        "gen_ai.system": "anthropic",
        "gen_ai.request.model": "claude-opus-4-8",
        "input_tokens": 12,
        "output_tokens": 300,
        "cache_read_tokens": 50_000,
        "cache_creation_tokens": 2_000,
    }
    scope = "com.anthropic.claude_code.tracing"
    root = {"session.id": "s-1", "user.id": "u-1"}
    return Recording(
        "Claude Code",
        [
            sent("claude_code.interaction", root, 1, 0, scope),
            sent("claude_code.llm_request", call, 2, 1, scope),
            sent("claude_code.tool", {"tool_name": "Bash"}, 3, 1, scope),
        ],
        [
            Told(
                "anthropic",
                "claude-opus-4-8",
                (52_012, 300, 50_000, 2_000, 0),
                "claude-code",
                conversation="s-1",
                user="u-1",
            )
        ],
    )


def _codex() -> Recording:
    call: Attributes = {
        "gen_ai.usage.input_tokens": 117_231,
        "gen_ai.usage.cache_read.input_tokens": 115_584,
        "gen_ai.usage.output_tokens": 225,
    }
    return Recording(
        "Codex",
        [
            sent("run_turn", {"conversation.id": "c-7", **call}, 1, 0, "codex_cli"),
            sent("handle_responses", call, 2, 1, "codex_cli"),
        ],
        [Told("openai", "unknown", (117_231, 225, 115_584, 0, 0), "codex", conversation="c-7")],
    )


def _gemini_cli() -> Recording:
    (response,) = (one for one in recorded("gemini_cli.logs") if one.name.endswith("response"))
    told = Told("gcp.gemini", "gemini-2.5-pro", (1200, 110, 1024, 0, 30), "gemini-cli")
    owner = {"conversation": "a28959b2-1d52-4fb6-9418-29503f11bc85", "team": "gemini-cli"}
    user = "263f6e97-b961-435e-a49a-3bed6ebb6a02"
    return Recording("Gemini CLI", [response], [replace(told, **owner, user=user)])


def _strands() -> Recording:
    scope = "strands.telemetry.tracer"
    used: Attributes = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
    about: Attributes = {"gen_ai.system": "strands-agents", "gen_ai.request.model": "gpt-4o"}
    agent: Attributes = {
        **about,
        **used,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "planner",
        "session.id": "c-7",
    }
    cycle = {"gen_ai.operation.name": "execute_event_loop_cycle", "event_loop.cycle_id": "1"}
    chat = {**about, **used, "gen_ai.operation.name": "chat"}
    return Recording(
        "Strands Agents",
        [
            sent("invoke_agent planner", agent, 1, 0, scope),
            sent("execute_event_loop_cycle", cycle, 2, 1, scope),
            sent("chat", chat, 3, 2, scope, kind="client"),
        ],
        [Told("strands-agents", "gpt-4o", (1000, 100, 0, 0, 0), "planner", "c-7")],
    )


def _adk() -> Recording:
    scope = "gcp.vertex.agent"
    call: Attributes = {
        "gen_ai.system": "gcp.vertex.agent",
        "gen_ai.request.model": "gemini-2.5-flash",
        "gcp.vertex.agent.session_id": "c-7",
        "gen_ai.usage.input_tokens": 952,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.usage.total_tokens": 1272,
        "gen_ai.usage.experimental.reasoning_tokens": 120,
    }
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f"}
    return Recording(
        "Google ADK",
        [
            sent("invocation", {}, 1, 0, scope),
            sent("agent_run [planner]", {}, 2, 1, scope),
            sent("call_llm", call, 3, 2, scope),
            sent("execute_tool f", tool, 4, 3, scope),
        ],
        [Told("gcp.vertex.agent", "gemini-2.5-flash", (952, 320, 0, 0, 120), "planner", "c-7")],
    )


def _chat(dialect: str, scope: str, told: Told, more: Attributes) -> Recording:
    """Return an agent, where it names one, and a call in the words of the newest conventions."""
    attributes: dict[str, Scalar] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": told.provider,
        "gen_ai.request.model": told.model,
    }
    attributes |= more
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": told.agent or ""}
    outer = [sent("invoke_agent", agent, 1, 0, scope)] if told.agent else []
    return Recording(
        dialect, [*outer, sent("chat", attributes, 2, 1, scope, kind="client")], [told]
    )


IN, OUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
READ, WRITE = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"
THOUGHT, TOTAL = "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.total_tokens"
PLAIN: dict[str, Scalar] = {IN: 1000, OUT: 100}
SIZE = (1000, 100, 0, 0, 0)
MEAI = "Experimental.Microsoft.Extensions.AI"


def _dotnet() -> Recording:
    """A loop of two calls: the wrapper and the agent repeat their sums."""
    call = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
    call |= {"gen_ai.request.model": "gpt-4o"}
    size: Attributes = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
    sums: Attributes = {"gen_ai.usage.input_tokens": 2000, "gen_ai.usage.output_tokens": 200}
    first, last = "chatcmpl-0123456789abcdef0123", "chatcmpl-0123456789abcdef0124"
    agent: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "planner",
        "gen_ai.response.id": last,
        **sums,
    }
    team = {"team.id": "red", "session.id": "c-7"}
    told = Told("openai", "gpt-4o", SIZE, "planner", "c-7", "red")
    return Recording(
        "Microsoft.Extensions.AI and Agents (.NET)",
        [
            sent("trip", team, 1, 0, "shop.app"),
            sent("invoke_agent planner(1)", agent, 2, 1, "Experimental.Microsoft.Agents.AI"),
            sent("orchestrate_tools", sums, 3, 2, MEAI),
            sent("chat gpt-4o", {**call, **size, "gen_ai.response.id": first}, 4, 3, MEAI),
            sent("chat gpt-4o", {**call, **size, "gen_ai.response.id": last}, 5, 3, MEAI),
        ],
        [told, told],
    )


def _openinference() -> Recording:
    scope = "openinference.instrumentation.crewai"
    agent = {"openinference.span.kind": "AGENT"}
    llm: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 1000,
        "llm.token_count.completion": 100,
        "llm.token_count.total": 1100,
    }
    chain = {"openinference.span.kind": "CHAIN", "session.id": "c-7", "user.id": "u-1"}
    return Recording(
        "OpenInference",
        [
            sent("Crew.kickoff", chain, 1, 0, scope),
            sent("planner._execute_core", agent, 2, 1, scope),
            sent("LLM.call", llm, 3, 2, "openinference.instrumentation.litellm"),
            sent("ChatCompletion", llm, 4, 3, "openinference.instrumentation.openai"),
        ],
        [Told("openai", "gpt-4o", SIZE, "planner", "c-7", user="u-1")],
    )


def _llamaindex() -> Recording:
    scope = "openinference.instrumentation.llama_index"
    llm: Attributes = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o"}
    used = {**llm, "llm.token_count.prompt": 1000, "llm.token_count.completion": 100}
    return Recording(
        "OpenInference for LlamaIndex",
        [
            sent("OpenAI._prepare_chat_with_tools", llm, 1, 0, scope),
            sent("OpenAI.achat", used, 2, 0, scope),
        ],
        [Told("unknown", "gpt-4o", SIZE)],
    )


def _langchain_metadata() -> Recording:
    llm: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 1000,
        "llm.token_count.completion": 100,
        "metadata": '{"lc_agent_name": "planner", "thread_id": "c-7"}',
    }
    scope = "openinference.instrumentation.langchain"
    return Recording(
        "OpenInference",
        [sent("ChatOpenAI", llm, 1, 0, scope)],
        [Told("openai", "gpt-4o", SIZE, "planner", "c-7")],
    )


def _openllmetry() -> Recording:
    scope = "opentelemetry.instrumentation.crewai"
    agent = {"traceloop.span.kind": "agent", "traceloop.entity.name": "planner"}
    chat: Attributes = {
        "gen_ai.system": "OpenAI",
        "llm.request.type": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.prompt_tokens": 1000,
        "gen_ai.usage.completion_tokens": 100,
        "traceloop.association.properties.user_id": "u-1",
    }
    return Recording(
        "OpenLLMetry (Traceloop)",
        [
            sent("planner.agent", agent, 1, 0, scope),
            sent("openai.chat", chat, 2, 1, "opentelemetry.instrumentation.openai.v1"),
        ],
        [Told("OpenAI", "gpt-4o", SIZE, "planner", user="u-1")],
    )


CLAUDE, NOVA = "claude-sonnet-4-5", "us.amazon.nova-pro-v1:0"
RECORDINGS = (
    _vercel(),
    _langfuse(),
    _litellm(),
    _claude_code(),
    _codex(),
    _gemini_cli(),
    _strands(),
    _adk(),
    _dotnet(),
    _openinference(),
    _langchain_metadata(),
    _llamaindex(),
    _openllmetry(),
    _chat(
        "OpenInference for Bedrock",
        "openinference.instrumentation.bedrock",
        Told("aws.bedrock", NOVA, (1900, 100, 900, 0, 0)),
        {**PLAIN, READ: 900},
    ),
    _chat(
        "google-genai",
        "opentelemetry.instrumentation.google_genai",
        Told("gcp.gemini", "gemini-2.5-pro", (1000, 3100, 0, 0, 3000)),
        {**PLAIN, TOTAL: 4100},
    ),
    _chat(
        "GitHub Copilot",
        "copilot-chat",
        Told("github", "gpt-4o", (1000, 100, 600, 0, 0), "agent x"),
        {**PLAIN, READ: 600},
    ),
    _chat(
        "Spring AI",
        "org.springframework.boot",
        Told("openai", "gpt-4o", SIZE, conversation="c-7"),
        {**PLAIN, "spring.ai.kind": "chat_model", "spring.ai.chat.client.conversation.id": "c-7"},
    ),
    _chat("LangChain4j", "langchain4j", Told("openai", "gpt-4o", SIZE), PLAIN),
    _chat(
        "Semantic Kernel (.NET)",
        "Microsoft.SemanticKernel.Diagnostics",
        Told("openai", "gpt-4o", SIZE),
        PLAIN,
    ),
    _chat("OpenAI (.NET)", "OpenAI.ChatClient", Told("openai", "gpt-4o", SIZE), PLAIN),
    _chat(
        "Azure AI Inference (.NET)",
        "Azure.AI.Inference.ChatCompletionsClient",
        Told("az.ai.inference", "gpt-4o", SIZE),
        PLAIN,
    ),
    _chat(
        "Anthropic SDK",
        "com.anthropic.sdk.csharp",
        Told("anthropic", CLAUDE, (1000, 100, 600, 300, 0)),
        {**PLAIN, READ: 600, WRITE: 300},
    ),
    _chat(
        "OpenLIT",
        "openlit.instrumentation.anthropic",
        Told("anthropic", CLAUDE, (1900, 100, 600, 300, 0)),
        {**PLAIN, READ: 600, WRITE: 300},
    ),
    _chat(
        "Logfire",
        "logfire.openai",
        Told("openai", "gpt-4o", (1000, 100, 600, 0, 30)),
        {
            **PLAIN,
            "gen_ai.usage.raw": '{"prompt_tokens": 1000,'
            ' "prompt_tokens_details": {"cached_tokens": 600},'
            ' "completion_tokens_details": {"reasoning_tokens": 30}}',
        },
    ),
    _chat(
        "Pydantic AI",
        "pydantic-ai",
        Told("google", "gemini-2.5-pro", (1000, 100, 0, 0, 30), "a"),
        {**PLAIN, THOUGHT: 30},
    ),
    _chat(
        "OpenTelemetry GenAI conventions, new and old",
        "opentelemetry.tests",
        Told("openai", "gpt-4o", SIZE, "planner"),
        PLAIN,
    ),
)
