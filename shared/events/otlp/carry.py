"""Makes the span that is written to Azure Monitor beside its event."""

from datetime import datetime, timedelta

from shared.events.carried_span import CarriedSpan
from shared.events.otlp.call import EPOCH, LATEST_NS, Call, duration_s
from shared.events.otlp.names import error_type, operation_of, provider_of
from shared.events.otlp.seen import Seen
from shared.events.otlp.span import MAX_CHARS, Scalar
from shared.events.otlp.who import who
from shared.events.otlp_keep import kept

USAGE = "gen_ai.usage."
TOTALS = ("input_tokens", "output_tokens")


def carried(
    seen: Seen, call: Call | None, received_at: datetime, content_chars: int
) -> CarriedSpan:
    """Return the span as it travels.

    call: what it says of a model call, where it is the record of one.
    content_chars: how much of a text attribute is kept; 0 keeps no content.
    """
    span = seen.span
    received_ns = (received_at - EPOCH) // timedelta(microseconds=1) * 1000
    return CarriedSpan(
        source=seen.source,
        id=seen.id,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=span.name[:MAX_CHARS] or operation_of(span) or "span",
        role=seen.source,
        client=span.kind == "client" or call is not None,
        start_ns=min(span.start_ns or span.end_ns or received_ns, LATEST_NS),
        duration_ns=round((duration_s(span) or 0) * 1e9),
        failed=error_type(span) is not None,
        attributes=_attributes(seen, call, content_chars),
    )


def _attributes(seen: Seen, call: Call | None, content_chars: int) -> dict[str, Scalar]:
    """Return the kept attributes, and those that the portal's view of agents goes by.

    Only the record of a call says what was used: whoever adds up the spans then counts it once.
    """
    found = kept(seen.span.attributes, content_chars)
    if call is None:
        found = {name: value for name, value in found.items() if not name.startswith(USAGE)}
    return found | _normal(seen, call)


def _normal(seen: Seen, call: Call | None) -> dict[str, Scalar]:
    """Return what every convention says, in the words of the newest one."""
    span, provider = seen.span, provider_of(seen.span)
    stated: dict[str, object] = {
        "gen_ai.operation.name": operation_of(span),
        # Azure Monitor's exporter knows a provider by this older name alone.
        "gen_ai.system": None if provider == "unknown" else provider,
        "gen_ai.agent.name": who(span, seen.tree)["agent_type"],
        "microsoft.gen_ai.main_agent.name": seen.tree.main_agent(span),
        "error_type": error_type(span),
    }
    counts: dict[str, Scalar] = {}
    if call:
        stated["gen_ai.request.model"] = call.data["model"]
        stated["gen_ai.response.model"] = call.data["response_model"]
        counts = {f"{USAGE}{name}": (call.usage or {}).get(name, 0) for name in TOTALS}
    return {name: str(value) for name, value in stated.items() if value} | (
        counts if call and call.usage else {}
    )
