"""Writes queue messages before the sender is answered: within seconds, or not at all."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.adapters.azure.identity import Identity
from shared.adapters.azure.poison_queue import QUEUE, connect
from shared.errors import Misconfigured, RetryLater

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

ALL_S = 4.0
"""A request waits no longer: exporters give up after 10 s, the host's own binding after 28."""
CONNECT_S, READ_S = 1.0, 3.0
"""Only where no connection came about is a second attempt made. A message without an answer may be
stored: a second copy would run beside the first, under the same claims. What the sender sends again
is another message, whose events count once."""
AT_ONCE = 10
"""As many connections does the client keep."""


class AccountEventQueue:
    """A queue of a storage account; fits ports.EventQueue."""

    def __init__(self, account: str, identity: Identity, name: str = QUEUE) -> None:
        """Take what connect() takes; the client is made by the first message."""
        self._name = name
        self._account = account
        self._identity = identity
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=name)

    def put(self, messages: Sequence[str]) -> None:
        """Store the messages; a queue that is missing is created."""
        if not messages:
            return
        queue = self._queue  # made before the clock runs: a cold start loads the SDK here
        until = monotonic() + ALL_S
        # The first counts refused events, which no claim keeps from being counted twice: so last.
        self._send_all(queue, messages[1:], until)
        self._send_all(queue, messages[:1], until)

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown(cancel_futures=True)
        if "_queue" in self.__dict__:
            self._queue.close()

    def _send_all(self, queue: "QueueClient", messages: Sequence[str], until: float) -> None:
        sent = [self._pool.submit(self._send, queue, text) for text in messages]
        done, late = wait(sent, timeout=until - monotonic())
        for future in late:
            future.cancel()
        for future in done:
            future.result()
        if late:
            raise self._unanswered(f"no answer within {ALL_S:.0f} s")

    def _send(self, queue: "QueueClient", text: str) -> None:
        from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

        try:
            try:
                queue.send_message(text)
            except ResourceNotFoundError:
                _create(queue)
                queue.send_message(text)
        except AzureError as exc:
            status = exc.status_code if isinstance(exc, HttpResponseError) else None
            if status in (401, 403):
                needs = self._identity.needs(
                    "Storage Queue Data Contributor", "the storage account"
                )
                raise Misconfigured(f"Queue {self._name} refused us: {status}. {needs}") from None
            raise self._unanswered(str(status or type(exc).__name__)) from None

    @cached_property
    def _queue(self) -> "QueueClient":
        from azure.storage.queue import LinearRetry, TextBase64EncodePolicy

        patience: dict[str, Any] = {
            "retry_policy": LinearRetry(
                0, retry_total=1, retry_read=0, retry_status=0, random_jitter_range=0
            ),
            "connection_timeout": CONNECT_S,
            "read_timeout": READ_S,
        }
        # As host.json says: messageEncoding base64.
        service = connect(self._account, self._identity, **patience)
        queue = service.get_queue_client(self._name, message_encode_policy=TextBase64EncodePolicy())
        return queue.__enter__()

    def _unanswered(self, why: str) -> RetryLater:
        return RetryLater(
            f"Queue {self._name} did not take the request ({why}). Nothing that was sent counts "
            "yet: send it again, unchanged."
        )


def _create(queue: "QueueClient") -> None:
    """Create the queue; another instance may be faster."""
    from azure.core.exceptions import ResourceExistsError

    try:
        queue.create_queue()
    except ResourceExistsError:
        return
