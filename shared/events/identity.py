"""Decides whether two events are one: by id and source, and by the provider's own response id."""

import hashlib
from functools import lru_cache

from shared.events.providers import provider_of
from shared.events.types import AnyEvent, LlmCall, TaskOperation

SAME_CALL = {"azure": "openai"}
"""Instrumentations of OpenAI's client say "openai" of Azure's, too."""
NOT_UNIQUE = frozenset({"ollama"})
"""Their response ids are one of a thousand, and identify nothing."""
GLOBALLY_UNIQUE_CHARS = 24
"""An id so long was drawn at random (chatcmpl-…, msg_…, resp_…, a UUID): no two calls have one."""


def event_key(event: AnyEvent) -> str:
    """Return the claim key of the event's identity: `e:` and 32 hex digits."""
    return f"e:{_digest(event.source, event.id)}"


def span_key(source: str, trace_id: str, span_id: str, suffix: str = "") -> str:
    """Return the claim key of the event that a span reports."""
    return f"e:{_digest(source, f'{trace_id}:{span_id}{suffix}')}"


def response_key(event: AnyEvent) -> str | None:
    """Return the claim key of the model call, or a tool's work, that the event reports by its id.

    Two instrumentations of one call send two events, with one response id. They may disagree about
    the provider (a proxy or its origin, a host or the model's maker), so that it counts only where
    the id is too short to be unique by itself.
    """
    data = event.data
    if isinstance(data, TaskOperation):
        return _tool_key(event, data)
    if not isinstance(data, LlmCall) or data.response_id is None:
        return None
    provider = provider_of(data.provider)
    if provider in NOT_UNIQUE:
        return None
    is_unique = len(data.response_id) >= GLOBALLY_UNIQUE_CHARS
    family = "" if is_unique else SAME_CALL.get(provider, provider)
    return f"r:{_digest(family, data.response_id)}"


def _tool_key(event: AnyEvent, data: TaskOperation) -> str | None:
    if data.call_id is None:
        return None
    is_unique = len(data.call_id) >= GLOBALLY_UNIQUE_CHARS
    place = "" if is_unique else f"{event.source} {data.conversation_id}"
    return f"r:{_digest('tool', place, data.call_id)}"


@lru_cache(maxsize=4_096)
def _digest(*parts: str) -> str:
    """Hash the parts so that no two splits of one text look alike.

    Each step of a message asks for the keys of its events; they are hashed once.
    """
    whole = "\0".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def adjustment_id(source: str, event_id: str, revision: int) -> str:
    """Return the id of the revision-th correction of an event's cost: the same at every try."""
    return f"adjustment-{_digest(source, event_id, str(revision))}"
