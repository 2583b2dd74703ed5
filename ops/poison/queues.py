"""The poison queue as an operator reaches it: the laptop's, or a storage account's."""

import base64
from collections.abc import Iterator, Mapping, Sequence
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
"""For so long a message of a storage account is hidden from others while it is read."""

Put = tuple[str, str]
"""A queue, and a text for it."""


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
        """Yield the messages, oldest first; hide: replace() will be called for some."""
        ...

    def replace(self, message: Poisoned, puts: Sequence[Put]) -> bool:
        """Put the texts into their queues and remove the message; False if it is gone."""
        ...


class LaptopPoison:
    """The queue of the stack that `make run` started."""

    def __init__(self, stack: Stack) -> None:
        self._url = f"{stack.app_url}/admin/queues/{POISON}"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["x-functions-key"] = stack.master_key.get_secret_value()

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

    def replace(self, message: Poisoned, puts: Sequence[Put]) -> bool:
        """Do it in one step."""
        body = {"id": message.id, "puts": [{"to": to, "text": text} for to, text in puts]}
        return self._http.post(f"{self._url}/replace", json=body, timeout=TIMEOUT_S).ok


class AccountPoison:
    """The queue of a storage account."""

    def __init__(self, account: str) -> None:
        """account: a connection string, or the https address of the queue service."""
        from azure.storage.queue import TextBase64EncodePolicy

        service = connect(account, OPERATOR)
        # As host.json says: messageEncoding base64. What is none is in the poison queue as it came,
        # and the SDK's policy for reading would fail at it, and with it the whole slice.
        self._queues = {
            name: service.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())
            for name in (POISON, QUEUE)
        }
        self._gone = set[str]()
        self._receipts: dict[str, str] = {}

    def messages(self, *, hide: bool) -> Iterator[Poisoned]:
        """Yield the first 32 messages, left as they are; to hide is to yield all, hidden for two
        minutes or until the last was seen."""
        from azure.core.exceptions import ResourceNotFoundError

        poison = self._queues[POISON]
        seen: list[Poisoned] = []
        try:
            found = (
                poison.receive_messages(messages_per_page=32, visibility_timeout=HIDDEN_S)
                if hide
                else poison.peek_messages(max_messages=32)
            )
            for item in found:
                at = item.inserted_on
                assert at is not None  # noqa: S101 - the service always says
                seen.append(Poisoned(item.id, at, _decoded(item.content), item.pop_receipt or ""))
                yield seen[-1]
        except ResourceNotFoundError:
            return  # The queue is made by the first message that goes there.
        for message in seen if hide else ():
            if message.id not in self._gone:
                shown = poison.update_message(message.id, message.receipt, visibility_timeout=0)
                self._receipts[message.id] = shown.pop_receipt or ""

    def replace(self, message: Poisoned, puts: Sequence[Put]) -> bool:
        """Send the texts, then delete the message: a crash between the two repeats it, and what
        comes twice counts once."""
        for to, text in puts:
            self._queues[to].send_message(text)
        receipt = self._receipts.get(message.id, message.receipt)
        self._queues[POISON].delete_message(message.id, receipt)
        self._gone.add(message.id)
        return True


def _decoded(content: str) -> str:
    """Undo base64; what is none stays as it is."""
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        return content


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
        "There is no queue to read. Start the stack with `make run`, or set "
        "AzureWebJobsStorage__queueServiceUri to the queue address of the storage account."
    )
