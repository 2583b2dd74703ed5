"""What one program of each dialect sends, shortened, and what it means: a recording each."""

from shared.events.otlp.span import Scalar
from tests.own_words import OWN_WORDS
from tests.recording import Attributes, Recording, StatedCall, sent


def _chat(dialect: str, scope: str, call: StatedCall, more: Attributes) -> Recording:
    """Return an agent, where it names one, and a call in the words of the newest conventions."""
    attributes: dict[str, Scalar] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": call.provider,
        "gen_ai.request.model": call.model,
    }
    attributes |= more
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": call.agent or ""}
    outer = [sent("invoke_agent", agent, 1, 0, scope)] if call.agent else []
    return Recording(
        dialect, [*outer, sent("chat", attributes, 2, 1, scope, kind="client")], [call]
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
    stated = StatedCall("openai", "gpt-4o", SIZE, "planner", "c-7", "red")
    return Recording(
        "Microsoft.Extensions.AI and Agents (.NET)",
        [
            sent("trip", team, 1, 0, "shop.app"),
            sent("invoke_agent planner(1)", agent, 2, 1, "Experimental.Microsoft.Agents.AI"),
            sent("orchestrate_tools", sums, 3, 2, MEAI),
            sent("chat gpt-4o", {**call, **size, "gen_ai.response.id": first}, 4, 3, MEAI),
            sent("chat gpt-4o", {**call, **size, "gen_ai.response.id": last}, 5, 3, MEAI),
        ],
        [stated, stated],
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
        [StatedCall("openai", "gpt-4o", SIZE, "planner", "c-7", user="u-1")],
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
        [StatedCall("unknown", "gpt-4o", SIZE)],
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
        [StatedCall("openai", "gpt-4o", SIZE, "planner", "c-7")],
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
        [StatedCall("OpenAI", "gpt-4o", SIZE, "planner", user="u-1")],
    )


CLAUDE, NOVA = "claude-sonnet-4-5", "us.amazon.nova-pro-v1:0"
RECORDINGS = (
    *OWN_WORDS,
    _dotnet(),
    _openinference(),
    _langchain_metadata(),
    _llamaindex(),
    _openllmetry(),
    _chat(
        "OpenInference for Bedrock",
        "openinference.instrumentation.bedrock",
        StatedCall("aws.bedrock", NOVA, (1900, 100, 900, 0, 0)),
        {**PLAIN, READ: 900, TOTAL: 2000},
    ),
    _chat(
        "google-genai",
        "opentelemetry.instrumentation.google_genai",
        StatedCall("gcp.gemini", "gemini-2.5-pro", (1000, 3100, 0, 0, 3000)),
        {**PLAIN, TOTAL: 4100},
    ),
    _chat(
        "GitHub Copilot",
        "copilot-chat",
        StatedCall("github", "gpt-4o", (1000, 100, 600, 0, 0), "agent x"),
        {**PLAIN, READ: 600},
    ),
    _chat(
        "Spring AI",
        "org.springframework.boot",
        StatedCall("openai", "gpt-4o", SIZE, conversation="c-7", doubts=("cache_read_tokens",)),
        {**PLAIN, "spring.ai.kind": "chat_model", "spring.ai.chat.client.conversation.id": "c-7"},
    ),
    _chat("LangChain4j", "langchain4j", StatedCall("openai", "gpt-4o", SIZE), PLAIN),
    _chat(
        "Semantic Kernel (.NET)",
        "Microsoft.SemanticKernel.Diagnostics",
        StatedCall("openai", "gpt-4o", SIZE),
        PLAIN,
    ),
    _chat("OpenAI (.NET)", "OpenAI.ChatClient", StatedCall("openai", "gpt-4o", SIZE), PLAIN),
    _chat(
        "Azure AI Inference (.NET)",
        "Azure.AI.Inference.ChatCompletionsClient",
        StatedCall("az.ai.inference", "gpt-4o", SIZE),
        PLAIN,
    ),
    _chat(
        "Anthropic SDK",
        "com.anthropic.sdk.csharp",
        StatedCall("anthropic", CLAUDE, (1000, 100, 600, 300, 0)),
        {**PLAIN, READ: 600, WRITE: 300},
    ),
    _chat(
        "OpenLIT",
        "openlit.instrumentation.anthropic",
        StatedCall("anthropic", CLAUDE, (1900, 100, 600, 300, 0)),
        {**PLAIN, READ: 600, WRITE: 300},
    ),
    _chat(
        "Logfire",
        "logfire.openai",
        StatedCall("openai", "gpt-4o", (1000, 100, 600, 0, 30)),
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
        StatedCall("google", "gemini-2.5-pro", (1000, 100, 0, 0, 30), "a"),
        {**PLAIN, THOUGHT: 30},
    ),
    _chat(
        "OpenTelemetry GenAI conventions, new and old",
        "opentelemetry.tests",
        StatedCall("openai", "gpt-4o", SIZE, "planner"),
        PLAIN,
    ),
)
