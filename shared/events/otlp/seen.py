"""A span as it stands among the others of its request."""

from dataclasses import dataclass

from shared.events.otlp.call import is_remote_agent, told_by_a_log
from shared.events.otlp.names import Role, role_of, service_name
from shared.events.otlp.span import Span
from shared.events.otlp.tree import SpanTree

SOURCE_CHARS = 256
SOURCE = "opentelemetry"


@dataclass(frozen=True, slots=True)
class Seen:
    """A span that has to do with models. calls: it is the record of a model call."""

    span: Span
    role: Role
    tree: SpanTree
    calls: bool

    @property
    def id(self) -> str:
        """Name what the span reports, the same whenever it is sent."""
        return f"{self.span.trace_id}:{self.span.span_id}"

    @property
    def source(self) -> str:
        """Name the service that sent it."""
        return (service_name(self.span) or SOURCE)[:SOURCE_CHARS]


def see(span: Span, tree: SpanTree) -> Seen | None:
    """Return the span with what it is about, None where it has nothing to do with models."""
    role = role_of(span)
    if role is None:
        return None
    once = role == "model" and not (tree.repeats(span) or told_by_a_log(span))
    remote = role == "agent" and is_remote_agent(span) and not tree.calls_models(span)
    return Seen(span, role, tree, once or remote)
