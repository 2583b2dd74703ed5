"""How many messages a storage account has set aside."""

from typing import TYPE_CHECKING, Any

from shared.adapters.azure.identity import Identity
from shared.errors import Misconfigured, RetryLater

if TYPE_CHECKING:
    from azure.storage.queue import QueueServiceClient

QUEUE = "usage-events"
POISON = f"{QUEUE}-poison"
NO_LONGER_S = 10
"""A tick waits for no answer that is longer in coming."""


def connect(account: str, identity: Identity, **patience: object) -> "QueueServiceClient":
    """Return a client for the queues of a storage account; nothing is asked of it yet.

    account: a connection string, or the https address of the queue service. patience: timeouts and
    retries that differ from a tick's.
    Raises:
        Misconfigured: it is neither.
    """
    from azure.storage.queue import QueueServiceClient

    options: dict[str, Any] = {
        "retry_total": 1,
        "connection_timeout": NO_LONGER_S,
        "read_timeout": NO_LONGER_S,
        **patience,
    }
    try:
        if account.startswith("https://"):
            return QueueServiceClient(account, credential=identity.credential(), **options)
        return QueueServiceClient.from_connection_string(account, **options)
    except ValueError:
        raise Misconfigured(
            "The storage account of the queues is not known. Set AzureWebJobsStorage to a "
            "connection string, or AzureWebJobsStorage__queueServiceUri to an https address."
        ) from None


class AccountPoisonQueue:
    """The queue as the storage account shows it; fits ports.PoisonQueue."""

    def __init__(self, account: str, identity: Identity) -> None:
        """Take what connect() takes; the client is made at the first question."""
        self._account = account
        self._identity = identity

    def count(self) -> int:
        """Return how many messages there are; a queue that was never used has none."""
        from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

        service = connect(self._account, self._identity)
        try:
            with service.get_queue_client(POISON) as queue:
                return queue.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0
        except AzureError as exc:
            status = exc.status_code if isinstance(exc, HttpResponseError) else None
            if status in (401, 403):
                needs = self._identity.needs("Storage Queue Data Reader", "the storage account")
                raise Misconfigured(f"Queue {POISON} refused us: {status}. {needs}") from None
            what = status or type(exc).__name__
            raise RetryLater(f"Queue {POISON} did not answer: {what}.") from None
