"""Finds the owner of a span: from itself, those above it, or the sending service."""

from collections.abc import Mapping
from dataclasses import replace

from shared.events.otlp.dialects import DIALECTS
from shared.events.otlp.reader import COMMON_NAMES, Said, stated_in
from shared.events.otlp.span import Attributes, Span, text_in

Owner = Mapping[str, str]
"""Field → value, without those of which nothing is known."""
INHERITED = (
    *("team", "mission", "conversation", "user", "tenant", "environment", "workflow"),
    "model_around",
)
TENANT = "agentmeter.tenant"
_DEFAULTS = frozenset({"default", "agent"})
"""What instrumentations write for an environment or an agent's id where they know none."""
_PLACEHOLDERS = frozenset({"OpenAI Agent", "unknown"})
"""Agent names that an instrumentation writes where it knows none."""
_IN_METADATA = (("agent", "lc_agent_name"), ("conversation", "thread_id"))
"""What LangChain's callbacks put into one attribute of JSON."""

_NAMES = (COMMON_NAMES, *(dialect.names for dialect in DIALECTS))
_TENANTS = frozenset(name for names in _NAMES for name in names.get("tenant", ()))


def of_tenant(span: Span, tenant: str) -> Span:
    """Return the span with that tenant in place of any other."""

    attributes = {**_without_tenant(span.attributes), TENANT: tenant}
    return replace(span, attributes=attributes, resource=_without_tenant(span.resource))


def _without_tenant(attributes: Attributes) -> Attributes:
    """Return the same object where nothing is to go: what is known of a resource is found by it."""
    if _TENANTS.isdisjoint(attributes):
        return attributes
    return {name: value for name, value in attributes.items() if name not in _TENANTS}


def stated_by(span: Span, said: Said, *, is_agent: bool) -> Owner:
    """Return what the span itself says of its owner."""
    attributes = span.attributes
    found = {
        field: value for field in (*INHERITED, "agent", "agent_id") if (value := said.text(field))
    }
    if "metadata" in attributes:
        for field, name in _IN_METADATA:
            if field not in found and (value := stated_in(span, "metadata", name)):
                found[field] = value
    if is_agent and "agent" not in found:
        named = said.text("agent_span") or said.dialect.agent(span.name)
        found |= {"agent": named} if named else {}
    if workflow := found.get("workflow"):
        found.setdefault("mission", workflow)
    return _without_placeholders(found)


def stated_by_service(resource: Attributes, said: Said) -> Owner:
    """Return what the resource says: it stands in where no span above says anything.

    said: of the resource, in the words of the span's dialect.
    """
    found = {
        field: value
        for field in ("team", "mission", "conversation", "user", "tenant", "environment")
        if (value := said.text(field))
    }
    if name := said.dialect.agent_name:
        found["agent"] = name
    if team := found.get("team") or text_in(resource, "service.namespace") or service_of(resource):
        found["team"] = team
    return _without_placeholders(found)


def service_of(resource: Attributes) -> str | None:
    """Return the service's name, unless it is what an SDK writes where none was set."""
    name = text_in(resource, "service.name")
    return None if name is None or name.startswith("unknown_service") else name


def _without_placeholders(found: dict[str, str]) -> Owner:
    if found.get("agent") in _PLACEHOLDERS:
        del found["agent"]
        found.pop("agent_id", None)
    for field in ("environment", "agent_id"):
        if found.get(field) in _DEFAULTS:
            del found[field]
    return found
