"""Which buffer takes accepted events follows from one setting."""

import pytest

from shared.adapters.azure.event_hub import HubEventQueue
from shared.adapters.azure.event_queue import AccountEventQueue
from shared.connections import Connections
from shared.errors import Misconfigured
from shared.settings import read
from tests.fakes import FakeClock

NEEDED = {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x", "LOGS_WORKSPACE_ID": "w"}
HUB = {
    "EVENT_BUFFER": "eventhubs",
    "EVENT_HUB__fullyQualifiedNamespace": "ns.servicebus.windows.net",
}


def connections(**settings: str) -> Connections:
    return Connections(read({**NEEDED, **settings}), FakeClock())


def test_events_wait_in_the_queue_unless_a_hub_is_chosen() -> None:
    assert isinstance(connections().queue, AccountEventQueue)
    assert isinstance(connections(**HUB).queue, HubEventQueue)
    assert isinstance(connections(**{**HUB, "EVENT_BUFFER": "queue"}).queue, AccountEventQueue)


def test_a_hub_without_a_namespace_is_named() -> None:
    with pytest.raises(Misconfigured, match="EVENT_HUB__fullyQualifiedNamespace"):
        _ = connections(EVENT_BUFFER="eventhubs").queue


@pytest.mark.parametrize("namespace", ["https://ns.servicebus.windows.net", "ns/hub", "a b"])
def test_an_address_is_no_namespace(namespace: str) -> None:
    with pytest.raises(Misconfigured, match="EVENT_HUB__fullyQualifiedNamespace"):
        connections(**{**HUB, "EVENT_HUB__fullyQualifiedNamespace": namespace})
