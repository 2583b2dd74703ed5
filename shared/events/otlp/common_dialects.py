"""Dialects whose attribute names other instrumentations write too: the conventions themselves."""

from shared.events.otlp.dialect import Dialect
from shared.units import UNITS

COMMON = Dialect(
    "OpenTelemetry GenAI conventions, new and old",
    shared=True,
    names={
        **{name: unit.otlp for name, unit in UNITS.items()},
        "operation": ("gen_ai.operation.name",),
        "provider": ("gen_ai.provider.name", "gen_ai.system"),
        "model": ("gen_ai.request.model", "gen_ai.response.model"),
        "response_model": ("gen_ai.response.model",),
        "response_id": ("gen_ai.response.id",),
        "service_tier": (
            "openai.response.service_tier",
            "gen_ai.openai.response.service_tier",
            "anthropic.response.service_tier",
        ),
        "address": ("server.address", "gen_ai.openai.api_base", "openai.api_base"),
        "total_tokens": ("gen_ai.usage.total_tokens",),
        "cost_usd": ("operation.cost", "gen_ai.usage.cost"),
        "agent": ("gen_ai.agent.name", "agent.name"),
        "agent_id": ("gen_ai.agent.id", "agent.id"),
        "workflow": ("gen_ai.workflow.name",),
        "conversation": ("gen_ai.conversation.id", "session.id"),
        "user": ("agentmeter.user_id", "user.id", "enduser.id"),
        "team": ("agentmeter.team_id", "team.id"),
        "mission": ("agentmeter.mission_id", "mission.id"),
        "tenant": ("agentmeter.tenant", "tenant.id"),
        "environment": ("deployment.environment.name", "deployment.environment"),
        "tool": ("gen_ai.tool.name", "tool.name"),
        "tool_call": ("gen_ai.tool.call.id",),
        "error": ("error.type",),
    },
)
OPENINFERENCE = Dialect(
    "OpenInference",
    scopes=("openinference.instrumentation",),
    marks=("openinference.span.kind",),
    shared=True,
    operation_in="openinference.span.kind",
    operations={
        r"(?i)^llm$": "chat",
        r"(?i)^embedding$": "embeddings",
        r"(?i)^tool$": "execute_tool",
        r"(?i)^agent$": "invoke_agent",
        r"(?i)^retriever$": "retrieval",
        r"(?i)^(chain|reranker|guardrail|evaluator|prompt)$": "repeat",
    },
    names={
        "provider": ("llm.provider", "llm.system"),
        "model": ("llm.model_name", "embedding.model_name"),
        "total_tokens": ("llm.token_count.total",),
        "cost_usd": ("llm.cost.total",),
        "agent_span": ("graph.node.id",),
    },
    agent_in=r"^(.+?)\._?(?:execute_core|execute|run|arun|invoke)\b",
    not_stated="the response id stands in output.value alone; no service tier",
)
OPENLLMETRY = Dialect(
    "OpenLLMetry (Traceloop)",
    scopes=("opentelemetry.instrumentation",),
    marks=("traceloop.span.kind", "llm.request.type"),
    shared=True,
    operation_in="traceloop.span.kind",
    operations={
        "^agent$": "invoke_agent",
        "^tool$": "execute_tool",
        "^workflow$": "invoke_workflow",
        "^(task|session)$": "repeat",
    },
    names={
        "request_type": ("llm.request.type",),
        "total_tokens": ("llm.usage.total_tokens",),
        "workflow": ("traceloop.workflow.name",),
        "tool": ("traceloop.entity.name",),
        "agent_span": ("traceloop.entity.name",),
        "agent": ("crewai.agent.role", "traceloop.association.properties.lc_agent_name"),
        "conversation": (
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
        ),
        "user": ("traceloop.association.properties.user_id",),
        "team": ("traceloop.association.properties.team_id",),
        "mission": ("traceloop.association.properties.mission_id",),
        "tenant": ("traceloop.association.properties.tenant_id",),
    },
    not_stated="usage of streams of older versions",
)
