from contextlib import closing

import pytest
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from ops.poison.queues import AccountPoison
from shared.adapters.azure.event_queue import AccountEventQueue
from shared.adapters.azure.identity import Identity
from shared.adapters.azure.poison_queue import POISON, QUEUE, AccountPoisonQueue
from tests.contract.azurite import Azurite

pytestmark = pytest.mark.azurite


def client(account: str, name: str) -> QueueClient:
    return QueueClient.from_connection_string(
        account,
        name,
        message_encode_policy=TextBase64EncodePolicy(),
        message_decode_policy=TextBase64DecodePolicy(),
    )


def test_messages_of_a_storage_account_are_listed_and_put_back(azurite: Azurite) -> None:
    account = azurite.account()
    poisoned, queue = client(account, POISON), client(account, QUEUE)
    poisoned.create_queue()
    queue.create_queue()
    for text in ("one", "two"):
        poisoned.send_message(text)
    operated = AccountPoison(account)
    assert [item.text for item in operated.messages(hide=False)] == ["one", "two"]
    first, second = operated.messages(hide=True)
    assert operated.replace(second, [(QUEUE, "two again")])
    assert [item.content for item in queue.receive_messages()] == ["two again"]
    properties = poisoned.get_queue_properties()
    assert (properties.approximate_message_count, first.text) == (1, "one")


def test_a_message_that_is_no_base64_is_shown_as_it_came(azurite: Azurite) -> None:
    account = azurite.account()
    poisoned = client(account, POISON)
    poisoned.create_queue()
    raw = QueueClient.from_connection_string(account, POISON)
    raw.send_message("not base64 at all!")
    poisoned.send_message("one")
    operated = AccountPoison(account)
    assert [item.text for item in operated.messages(hide=False)] == ["not base64 at all!", "one"]
    (first, _) = operated.messages(hide=True)
    assert operated.replace(first, [])
    assert [item.text for item in operated.messages(hide=True)] == ["one"]
    assert [item.text for item in operated.messages(hide=True)] == ["one"]


def test_a_queue_that_was_never_used_is_empty(azurite: Azurite) -> None:
    assert list(AccountPoison(azurite.account()).messages(hide=False)) == []


def test_messages_are_counted_though_another_reads_them(azurite: Azurite) -> None:
    account = azurite.account()
    counted = AccountPoisonQueue(account, Identity())
    assert counted.count() == 0
    poisoned = client(account, POISON)
    poisoned.create_queue()
    for text in ("one", "two"):
        poisoned.send_message(text)
    assert len(list(AccountPoison(account).messages(hide=True))) == 2
    assert counted.count() == 2


def test_accepted_events_are_in_the_queue_as_the_host_reads_it(azurite: Azurite) -> None:
    account = azurite.account()
    with closing(AccountEventQueue(account, Identity())) as made:
        made.put(["first", "x" * 49_000, "é"])
        made.put([])
    found = [item.content for item in client(account, QUEUE).receive_messages()]
    assert sorted(found) == sorted(["first", "x" * 49_000, "é"])
