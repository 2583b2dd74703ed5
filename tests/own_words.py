"""Programs that name what they send in their own words, shortened: a recording each."""

from dataclasses import replace

from tests.coding_agents import recorded
from tests.recording import Attributes, Recording, StatedCall, sent


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
    stated = StatedCall("openai", "gpt-4o", None, "planner", "c-7", user="u-1")
    embedded = replace(stated, provider="openai", model="text-embedding-3-small")
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
            replace(stated, counts=(2006, 300, 1920, 0, 100)),
            replace(embedded, counts=(88, 0, 0, 0, 0)),
            replace(stated, status="error"),
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
    call = StatedCall("unknown", "gpt-4o-2024-08-06", size, "planner", "c-7", user="u-1")
    return Recording(
        "Langfuse SDK",
        [
            sent("planner", root, 1, 0, "langfuse-sdk"),
            sent("OpenAI-generation", {**kind, **model, details: raw}, 2, 1, "langfuse-sdk"),
            sent("generation", {**kind, **model, details: own}, 3, 1, "langfuse-sdk"),
            sent("step", {"langfuse.observation.type": "span"}, 4, 1, "langfuse-sdk"),
        ],
        [call, call],
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
        [StatedCall("openai", "gpt-4o", (1200, 350, 1024, 0, 0), "planner", team="red")],
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
            StatedCall(
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
        [
            StatedCall(
                "openai", "unknown", (117_231, 225, 115_584, 0, 0), "codex", conversation="c-7"
            )
        ],
    )


def _gemini_cli() -> Recording:
    (response,) = (one for one in recorded("gemini_cli.logs") if one.name.endswith("response"))
    call = StatedCall("gcp.gemini", "gemini-2.5-pro", (1200, 110, 1024, 0, 30), "gemini-cli")
    owner = {"conversation": "a28959b2-1d52-4fb6-9418-29503f11bc85", "team": "gemini-cli"}
    user = "263f6e97-b961-435e-a49a-3bed6ebb6a02"
    return Recording("Gemini CLI", [response], [replace(call, **owner, user=user)])


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
        [StatedCall("strands-agents", "gpt-4o", (1000, 100, 0, 0, 0), "planner", "c-7")],
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
        [
            StatedCall(
                "gcp.vertex.agent", "gemini-2.5-flash", (952, 320, 0, 0, 120), "planner", "c-7"
            )
        ],
    )


OWN_WORDS = (
    _vercel(),
    _langfuse(),
    _litellm(),
    _claude_code(),
    _codex(),
    _gemini_cli(),
    _strands(),
    _adk(),
)
