"""POST /api/events: what agents send."""

from collections.abc import Callable
from typing import List  # noqa: UP035 - the worker refuses Out[list[str]]

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
    @bp.queue_output(  # pyright: ignore[reportUnknownMemberType] - the SDK leaves **kwargs bare
        arg_name="messages", queue_name="usage-events", connection="AzureWebJobsStorage"
    )
    @invoked(app)
    @refusing
    def post_events(
        req: func.HttpRequest,
        messages: func.Out[List[str]],  # noqa: UP006 - see above
    ) -> func.HttpResponse:
        parts = app()
        now = parts.clock.now()
        try:
            received = parts.ingest.accept(req.get_body(), headers(req), now)
        except InvalidEvent as exc:
            messages.set(list(parts.ingest.tell(exc, now)))
            raise
        if received.messages:
            messages.set(list(received.messages))
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
