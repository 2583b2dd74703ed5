"""Tells on whose account a span is: from itself, those above it, or the sending service."""

from collections.abc import Sequence

from shared.events.otlp.names import CONVERSATION, agent_name, service_name
from shared.events.otlp.span import Span, text_in
from shared.events.otlp.tree import SpanTree

_ASSOCIATION = "traceloop.association.properties."
_DEFAULTS = frozenset({"default", "agent"})
"""What instrumentations write for an environment or an agent's id where they know none."""


def who(span: Span, tree: SpanTree) -> dict[str, object]:
    """Return the fields that every kind of event has, None where nothing is known."""
    line = (span, *tree.above(span))
    agent = tree.agent(span)
    return {
        "team_id": _asked(line, "team")
        or text_in(span.resource, "service.namespace")
        or service_name(span),
        "agent_type": agent_name(span) or (agent and agent_name(agent)),
        "agent_id": _agent_id(span, agent),
        "mission_id": _asked(line, "mission") or tree.workflow(span),
        "conversation_id": _found(line, *CONVERSATION),
        "environment": _environment(line),
        "tenant": _asked(line, "tenant"),
    }


def _asked(line: Sequence[Span], what: str) -> str | None:
    """Return what the sender set on purpose."""
    field = what if what == "tenant" else f"{what}_id"
    return _found(line, f"agentmeter.{field}", f"{what}.id", _ASSOCIATION + field)


def _environment(line: Sequence[Span]) -> str | None:
    found = _found(line, "deployment.environment.name", "deployment.environment")
    return None if found in _DEFAULTS else found


def _agent_id(span: Span, agent: Span | None) -> str | None:
    """Return the id beside the name that counts."""
    named = span if agent_name(span) else agent
    found = named.text("gen_ai.agent.id", "agent.id") if named else None
    return None if found in _DEFAULTS else found


def _found(line: Sequence[Span], *names: str) -> str | None:
    """Return the first value on the way up, then the resource's."""
    on_the_way = next((value for span in line if (value := span.text(*names))), None)
    return on_the_way or text_in(line[0].resource, *names)
