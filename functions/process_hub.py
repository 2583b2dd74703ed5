"""Event hub usage-events, where it is the buffer: prices, exports and counts what was accepted."""

from collections.abc import Callable, Mapping, Sequence
from typing import List  # noqa: UP035 - the worker refuses list[…]

import azure.functions as func

from functions.invoked import invoked
from shared.settings import operator_environment
from shared.wiring import App

CONNECTION = "EVENT_HUB"
NAMESPACE = f"{CONNECTION}__fullyQualifiedNamespace"
Blueprint = Callable[[Callable[[], App]], func.Blueprint]


def where_there_is_one(environment: Mapping[str, str] | None = None) -> Sequence[Blueprint]:
    """Return the blueprint if the environment names a namespace, which is read as the app loads."""
    given = operator_environment() if environment is None else environment
    return [blueprint] if given.get(NAMESPACE, "").strip() else []


def blueprint(app: Callable[[], App]) -> func.Blueprint:
    """Register the trigger. After an exception the host hands over the same batch, for as long as
    it takes, and moves no checkpoint meanwhile: without the retries it would."""
    bp = func.Blueprint()

    @bp.event_hub_message_trigger(
        arg_name="messages",
        connection=CONNECTION,
        event_hub_name="usage-events",
        cardinality="many",
    )
    @bp.retry(strategy="fixed_delay", max_retry_count="-1", delay_interval="00:00:10")
    @invoked(app)
    def process_event_hub(messages: List[func.EventHubEvent]) -> None:  # noqa: UP006 - see above
        parts = app()
        texts = [each.get_body().decode("ascii", "backslashreplace") for each in messages]
        parts.process_hub.run(texts, parts.clock.now())
        parts.stand_in.run(parts.clock.now())

    return bp
