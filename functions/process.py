"""Queue usage-events: prices, exports and counts what was accepted."""

from collections.abc import Callable
from typing import List  # noqa: UP035 - the worker refuses Out[list[str]]

import azure.functions as func

from functions.invoked import invoked
from shared.wiring import App


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the trigger. An exception gives the message back to the queue."""
    bp = func.Blueprint()

    @bp.queue_trigger(  # pyright: ignore[reportUnknownMemberType] - the SDK leaves **kwargs bare
        arg_name="message", queue_name="usage-events", connection="AzureWebJobsStorage"
    )
    @bp.queue_output(  # pyright: ignore[reportUnknownMemberType] - the SDK leaves **kwargs bare
        arg_name="refused", queue_name="usage-events-poison", connection="AzureWebJobsStorage"
    )
    @bp.queue_output(  # pyright: ignore[reportUnknownMemberType] - the SDK leaves **kwargs bare
        arg_name="again", queue_name="usage-events", connection="AzureWebJobsStorage"
    )
    @invoked(app)
    def process_events(
        message: func.QueueMessage,
        refused: func.Out[List[str]],  # noqa: UP006 - see above
        again: func.Out[List[str]],  # noqa: UP006 - see above
    ) -> None:
        parts = app()
        text = message.get_body().decode("ascii", errors="replace")
        result = parts.process.run(text, message.dequeue_count or 1, parts.clock.now())
        if result.refused:
            refused.set(list(result.refused))
        if result.again:
            again.set(list(result.again))
        parts.stand_in.run(parts.clock.now())

    return bp
