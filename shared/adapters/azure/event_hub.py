"""Writes queue messages into an event hub before the sender is answered, as event_queue does."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from time import monotonic
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ServiceRequestError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest

from shared.adapters.azure.event_queue import ALL_S, AT_ONCE, CONNECT_S, READ_S
from shared.adapters.azure.identity import Identity
from shared.errors import AgentmeterError, Misconfigured, RetryLater
from shared.pooled_http import Answer, PooledHttp

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

HUB = "usage-events"
SCOPE = "https://eventhubs.azure.net/.default"
MAX_REQUEST_BYTES = 900_000
"""Of the 1,048,576 that a request may have, and Azure's own parts with it."""
_HEADERS = {
    "Content-Type": "application/vnd.microsoft.servicebus.json",
    # Else the service tries again by itself what may be stored already.
    "x-ms-retrypolicy": "NoRetry",
}
Client = Pipeline[HttpRequest, Answer]
Policy = Any  # azure-core's policies have no common type that is public


def token_policy(credential: "Callable[[], TokenCredential]") -> Policy:
    """Return what lets a request in by a token of the credential."""
    return BearerTokenCredentialPolicy[Any, Any](credential(), SCOPE)


class HubEventQueue:
    """An event hub; fits ports.EventQueue."""

    def __init__(self, url: str, identity: Identity, policy: Callable[[], Policy]) -> None:
        """url: of the namespace. policy: returns what signs; asked by the first message."""
        self._url = f"{url}/{HUB}/messages?api-version=2014-01"
        self._identity = identity
        self._policy = policy
        self._http = PooledHttp(CONNECT_S, READ_S)
        self._client: Client | None = None
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="event-hub")

    def put(self, messages: Sequence[str]) -> None:
        """Store the messages, all of a request at once, or several where it would be too large."""
        if not messages:
            return
        client = self._client = self._client or Client(self._http, [self._policy()])
        # The first tells of refused events, which no claim keeps from being counted twice: so last.
        bodies = list(_bodies([*messages[1:], messages[0]]))
        sending = self._pool.submit(self._send_all, client, bodies, monotonic() + ALL_S)
        try:
            sending.result(timeout=ALL_S)
        except NotInTime:
            sending.cancel()
            raise _unanswered(f"no answer within {ALL_S:.0f} s") from None

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown(cancel_futures=True)
        self._http.close()

    def _send_all(self, client: Client, bodies: Sequence[bytes], until: float) -> None:
        for body in bodies:
            if monotonic() > until:
                raise _unanswered("no time is left")
            try:
                status = self._send(client, body)
            except AzureError as exc:
                raise _unanswered(type(exc).__name__) from None
            if status != 201:
                raise self._refused(status)

    def _send(self, client: Client, body: bytes) -> int:
        """Send once; a second time only where no connection came about, as event_queue does."""
        for last in (False, True):
            try:
                # The policy adds its header to the request, so that each attempt has its own.
                asked = HttpRequest("POST", self._url, headers=_HEADERS, content=body)
                return client.run(asked).http_response.status_code
            except ServiceRequestError:
                if last:
                    raise
        raise AssertionError("the second attempt answers or raises")

    def _refused(self, status: int) -> AgentmeterError:
        if status in (401, 403):
            needs = self._identity.needs("Azure Event Hubs Data Sender", "the namespace")
            return Misconfigured(f"Event hub {HUB} refused us: {status}. {needs}")
        if status == 404:
            return Misconfigured(
                f"There is no event hub {HUB} in the namespace. Deploy infra/ with eventBuffer, or "
                "correct EVENT_HUB__fullyQualifiedNamespace."
            )
        return _unanswered(str(status))


def _bodies(messages: Sequence[str]) -> Iterator[bytes]:
    """Yield what holds the messages in their order, in as few requests as may be."""
    parts: list[str] = []
    size = 0
    for text in messages:
        part = json.dumps({"Body": text})
        if parts and size + len(part) > MAX_REQUEST_BYTES:
            yield f"[{','.join(parts)}]".encode()
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    yield f"[{','.join(parts)}]".encode()


def _unanswered(why: str) -> RetryLater:
    return RetryLater(
        f"Event hub {HUB} did not take the request ({why}). Nothing that was sent counts yet: send "
        "it again, unchanged."
    )
