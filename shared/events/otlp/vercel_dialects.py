"""The dialects of the Vercel AI SDK: its own spans, and those of its package for OpenTelemetry."""

from shared.events.otlp.dialect import Dialect

VERCEL = (
    Dialect(
        "Vercel AI SDK",
        scopes=("ai",),
        marks=("ai.operationId",),
        operation_in="ai.operationId",
        operations={
            r"\.do(Generate|Stream)$": "chat",
            r"\.doEmbed$": "embeddings",
            r"^ai\.toolCall$": "execute_tool",
            r"^ai\.": "repeat",
        },
        names={
            "provider": ("gen_ai.system", "ai.model.provider"),
            "model": ("gen_ai.request.model", "ai.model.id"),
            "response_model": ("gen_ai.response.model", "ai.response.model"),
            "response_id": ("gen_ai.response.id", "ai.response.id"),
            "input_tokens": (
                "gen_ai.usage.input_tokens",
                "ai.usage.inputTokens",
                "ai.usage.promptTokens",
                "ai.usage.tokens",
            ),
            "output_tokens": (
                "gen_ai.usage.output_tokens",
                "ai.usage.outputTokens",
                "ai.usage.completionTokens",
            ),
            "cache_read_tokens": (
                "ai.usage.inputTokenDetails.cacheReadTokens",
                "ai.usage.cachedInputTokens",
            ),
            "cache_write_tokens": ("ai.usage.inputTokenDetails.cacheWriteTokens",),
            "reasoning_tokens": (
                "ai.usage.outputTokenDetails.reasoningTokens",
                "ai.usage.reasoningTokens",
            ),
            "total_tokens": ("ai.usage.totalTokens",),
            "agent": ("ai.telemetry.functionId",),
            "conversation": (
                "ai.telemetry.metadata.sessionId",
                "ai.telemetry.metadata.conversationId",
                "ai.telemetry.metadata.threadId",
            ),
            "user": ("ai.telemetry.metadata.userId",),
            "team": ("ai.telemetry.metadata.teamId", "ai.telemetry.metadata.team_id"),
            "tool": ("ai.toolCall.name",),
        },
        # Before version 6 it hands on what the provider's API counts, some of it in its metadata.
        usage_in=("ai.response.providerMetadata",),
        cache="api",
        reasoning="api",
        inside_if=(
            "ai.usage.inputTokenDetails.noCacheTokens",
            "ai.usage.inputTokenDetails.cacheReadTokens",
            "ai.usage.outputTokenDetails.textTokens",
        ),
    ),
    Dialect(
        "Vercel AI SDK 7, @ai-sdk/otel",
        scopes=("gen_ai",),
        repeats="^embeddings ",  # an embedding's outer span, beside the call's own
        not_stated="reasoning tokens; whose work an embedding is",
    ),
)
