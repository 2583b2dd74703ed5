"""POST /api/events: what agents send."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import azure.functions as func

from functions.caller import key_of, tenant_in
from functions.replies import headers, reply
from functions.route import Role, Route
from shared.errors import InvalidEvent
from shared.usecases.intake.ingest import Received
from shared.wiring import App


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the route."""

    def post_events(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        now, key = parts.clock.now(), key_of(req)
        try:
            received = parts.ingest.accept(req.get_body(), headers(req), now, tenant_in(key))
        except InvalidEvent as exc:
            parts.queue.put(parts.ingest.count_refused(exc, now))
            raise
        parts.queue.put(received.messages)
        parts.rates.spend(key, received.accepted, now)
        return _answer(received)

    return [
        Route("post_events", "api/events", {"POST": post_events}, Role.AGENT),
    ]


def _answer(received: Received) -> func.HttpResponse:
    """Say what was stored and what was not: 202, 207 or 400."""
    body: dict[str, object] = {"accepted": received.accepted}
    if received.warned:
        body["warnings"] = [asdict(warned) for warned in received.warned]
    if not received.rejected:
        return reply(202, body)
    body["rejected"] = [
        {"index": refused.index, "id": refused.id, "error": refused.error}
        for refused in received.rejected
    ]
    if received.accepted:
        return reply(207, body)
    first = received.rejected[0]
    return reply(400, {"error": f"No event was accepted. The first: {first.error}", **body})
