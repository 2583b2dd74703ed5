"""The poison queue as an operator reaches it: the laptop's, or a storage account's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import requests

from ops.console.identity import OPERATOR
from ops.console.stack import Stack, find_stack
from shared.adapters.azure.poison_queue import POISON, QUEUE, connect
from shared.errors import Misconfigured, RetryLater

TIMEOUT_S = 30
HIDDEN_S = 120
"""For so long a message of a storage account is nobody else's while it is looked at."""


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A message that was set aside. receipt: what the storage account wants to see to delete it."""

    id: str
    inserted_at: datetime
    text: str
    receipt: str = ""


class PoisonQueue(Protocol):
    """Where messages go that failed too often, and events that Azure Monitor refused."""

    def messages(self, *, hide: bool) -> Iterator[Poisoned]:
        """Yield the messages, oldest first; hide: put_back() will be called for some."""
        ...

    def put_back(self, message: Poisoned, text: str) -> bool:
        """Give the message to the processor again, as that text; False if it is gone."""
        ...


class LaptopPoison:
    """The queue of the stack that `make run` started."""

    def __init__(self, stack: Stack) -> None:
        self._url = f"{stack.app_url}/admin/queues/{POISON}"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["x-functions-key"] = stack.function_key.get_secret_value()

    def messages(self, *, hide: bool) -> Iterator[Poisoned]:
        """Yield the messages; they need not be hidden, because moving them is one step."""
        try:
            answer = self._http.get(self._url, timeout=TIMEOUT_S)
            answer.raise_for_status()
        except requests.RequestException as exc:
            raise RetryLater(
                f"The stack does not answer ({type(exc).__name__}). See that `make run` is at work."
            ) from None
        for item in answer.json()["messages"]:
            yield Poisoned(item["id"], datetime.fromisoformat(item["inserted_at"]), item["text"])

    def put_back(self, message: Poisoned, text: str) -> bool:
        """Move the message, in one step."""
        body = {"id": message.id, "to": QUEUE, "text": text}
        return self._http.post(f"{self._url}/move", json=body, timeout=TIMEOUT_S).ok


class AccountPoison:
    """The queue of a storage account."""

    def __init__(self, account: str) -> None:
        """account: a connection string, or the https address of the queue service."""
        from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy

        service = connect(account, OPERATOR)
        # As host.json says: messageEncoding base64.
        self._poison, self._queue = (
            service.get_queue_client(
                name,
                message_encode_policy=TextBase64EncodePolicy(),
                message_decode_policy=TextBase64DecodePolicy(),
            )
            for name in (POISON, QUEUE)
        )

    def messages(self, *, hide: bool) -> Iterator[Poisoned]:
        """Yield all messages, hidden for two minutes, or the first 32, left as they are."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            found = (
                self._poison.receive_messages(messages_per_page=32, visibility_timeout=HIDDEN_S)
                if hide
                else self._poison.peek_messages(max_messages=32)
            )
            for item in found:
                at = item.inserted_on
                assert at is not None  # noqa: S101 - the service always says
                yield Poisoned(item.id, at, item.content, item.pop_receipt or "")
        except ResourceNotFoundError:
            return  # The queue is made by the first message that goes there.

    def put_back(self, message: Poisoned, text: str) -> bool:
        """Send the text, then delete the message: a crash between the two repeats it, and what
        comes twice counts once."""
        self._queue.send_message(text)
        self._poison.delete_message(message.id, message.receipt)
        return True


def find_queue(environment: Mapping[str, str]) -> PoisonQueue:
    """Return the laptop's queue, else that of the storage account of the settings.

    Raises:
        Misconfigured: there is neither.
    """
    stack = find_stack(environment)
    if stack:
        return LaptopPoison(stack)
    account = environment.get("AzureWebJobsStorage__queueServiceUri")
    account = environment.get("AzureWebJobsStorage") or account
    if account:
        return AccountPoison(account)
    raise Misconfigured(
        "There is no queue to look at. Start the stack with `make run`, or set "
        "AzureWebJobsStorage__queueServiceUri to the queue address of the storage account."
    )
