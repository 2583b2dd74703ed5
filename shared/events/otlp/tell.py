"""Puts what is known of a span into the fields of events."""

from collections.abc import Mapping

from shared.events.otlp.record import Call, Record
from shared.events.otlp.relate import Node

Owned = Mapping[str, str | None]
"""Field of an event → value, None where nothing is known."""
_FIELDS = {
    "team": "team_id",
    "mission": "mission_id",
    "conversation": "conversation_id",
    "user": "user_id",
    "tenant": "tenant",
    "environment": "environment",
}


def owner_of(node: Node) -> Owned:
    """Return the fields that every kind of event has, None where nothing is known."""
    known = dict(node.record.service)
    for other in (*node.twins, node):
        known |= other.line
    reporters = (node, *node.twins)
    named = [one.record.own for one in reporters if "agent" in one.record.own]
    agent = next(iter([*named, *(one.agent for one in reporters if one.agent)]), node.agent)
    owner = {name: known.get(field) for field, name in _FIELDS.items()}
    owner["agent_type"] = agent.get("agent") or known.get("agent")
    owner["agent_id"] = agent.get("agent_id")
    return owner


def call_data(record: Record, call: Call) -> dict[str, object]:
    """Return the data of an llm.call."""
    return {
        "provider": call.provider,
        "model": call.model or "unknown",
        "response_model": call.response_model,
        "deployment": call.deployment,
        "response_id": call.response_id,
        "service_tier": call.service_tier,
        "operation": record.operation or None,
        "status": status_of(record),
        "error_type": record.error,
        "duration_s": record.duration_s,
        "usage": call.usage,
        "doubts": call.doubts or None,
        "cost_usd": call.cost_usd,
    }


def status_of(record: Record) -> str:
    """Return how the span ended."""
    return "success" if record.error is None else "error"
