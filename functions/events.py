"""POST /api/events: what agents send."""

from collections.abc import Callable

import azure.functions as func

from functions.invoked import invoked
from functions.replies import headers, refusing, reply
from shared.errors import InvalidEvent
from shared.usecases.intake.ingest import Received
from shared.wiring import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the trigger."""
    bp = func.Blueprint()

    @bp.route(route="api/events", methods=["POST"])
    @invoked(app)
    @refusing
    def post_events(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        now = parts.clock.now()
        try:
            received = parts.ingest.accept(req.get_body(), headers(req), now)
        except InvalidEvent as exc:
            parts.queue.put(parts.ingest.tell(exc, now))
            raise
        parts.queue.put(received.messages)
        return _answer(received)

    return bp


def _answer(received: Received) -> func.HttpResponse:
    """Say what was stored and what was not: 202, 207 or 400."""
    body: dict[str, object] = {"accepted": received.accepted}
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
