"""Where accepted events wait: the storage queue and the event hub keep one contract."""

import json
from base64 import b64decode
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from xml.etree import ElementTree

import pytest
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.adapters.azure.event_hub import MAX_REQUEST_BYTES, HubEventQueue
from shared.adapters.azure.event_queue import AccountEventQueue
from shared.adapters.azure.identity import Identity
from shared.errors import Misconfigured, RetryLater
from shared.ports import EventQueue
from standin.functions_host.storage import connection_string
from tests.loopback import Behaviour, Loopback, Reply, Request, absent, loopback


class Signed(SansIOHTTPPolicy[Any, Any]):
    """Stands in for the token, which azure-core sends over https alone."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = "Bearer token"


def hub_at(url: str) -> HubEventQueue:
    return HubEventQueue(url, Identity(), Signed)


def queue_at(url: str) -> AccountEventQueue:
    return AccountEventQueue(connection_string(url, "s"), Identity())


def hub_bodies(request: Request) -> list[str]:
    return [event["Body"] for event in request.json()]


def queue_bodies(request: Request) -> list[str]:
    found = ElementTree.fromstring(request.body).findtext("MessageText") or ""  # noqa: S314 - our own
    return [b64decode(found).decode()]


@dataclass(frozen=True)
class Kind:
    """make: address → the buffer. bodies: what a request brings. taken: the answer to it."""

    make: Callable[[str], Any]
    bodies: Callable[[Request], list[str]]
    taken: Reply
    role: str


AT = "Mon, 23 Nov 2026 12:00:00 GMT"
XML = f"""<?xml version="1.0"?><QueueMessagesList><QueueMessage><MessageId>1</MessageId>
<InsertionTime>{AT}</InsertionTime><ExpirationTime>{AT}</ExpirationTime><PopReceipt>1</PopReceipt>
<TimeNextVisible>{AT}</TimeNextVisible></QueueMessage></QueueMessagesList>""".encode()
QUEUED = Reply(201, XML, {"Content-Type": "application/xml"})
KINDS = [
    pytest.param(
        Kind(queue_at, queue_bodies, QUEUED, "Storage Queue Data Contributor"), id="queue"
    ),
    pytest.param(
        Kind(hub_at, hub_bodies, Reply(201), "Azure Event Hubs Data Sender"), id="event hub"
    ),
]
both = pytest.mark.parametrize("kind", KINDS)


@contextmanager
def serving(kind: Kind, answer: Behaviour) -> Generator[tuple[EventQueue, Loopback]]:
    with loopback(lambda _: answer) as service:
        made = kind.make(service.url)
        try:
            yield made, service
        finally:
            made.close()


def stored(kind: Kind, service: Loopback) -> list[str]:
    return [body for request in service.received for body in kind.bodies(request)]


@both
@pytest.mark.parametrize(
    "texts", [["one"], ["first", "<é>", "x" * 49_000], [f"{n}" for n in range(40)]]
)
def test_messages_are_stored_as_given(kind: Kind, texts: Sequence[str]) -> None:
    with serving(kind, kind.taken) as (buffer, service):
        buffer.put(texts)
        assert sorted(stored(kind, service)) == sorted(texts)


@both
def test_what_counts_refusals_is_stored_last(kind: Kind) -> None:
    with serving(kind, kind.taken) as (buffer, service):
        buffer.put(["refusals", "x" * 600_000, "y" * 600_000])
        assert stored(kind, service)[-1] == "refusals"


@both
def test_nothing_is_sent_for_nothing(kind: Kind) -> None:
    with serving(kind, kind.taken) as (buffer, service):
        buffer.put([])
        assert service.received == []


@both
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_role(kind: Kind, status: int) -> None:
    with (
        serving(kind, Reply(status)) as (buffer, _),
        pytest.raises(Misconfigured, match=kind.role),
    ):
        buffer.put(["one"])


@both
@pytest.mark.parametrize("behaviour", [Reply(500), Reply(503), Reply(429), "hang up", "silence"])
def test_a_message_that_may_be_stored_is_not_sent_twice(kind: Kind, behaviour: Behaviour) -> None:
    began_s = perf_counter()
    with serving(kind, behaviour) as (buffer, service):
        with pytest.raises(RetryLater, match="send it again, unchanged"):
            buffer.put(["one"])
        assert len(service.received) == 1
    assert perf_counter() - began_s < 5


@both
def test_a_service_that_is_not_there_is_told_in_time(kind: Kind) -> None:
    began_s = perf_counter()
    with absent() as gone, pytest.raises(RetryLater):
        kind.make(gone.url).put(["one"])
    assert perf_counter() - began_s < 5


def test_a_hub_takes_a_request_in_one_batch() -> None:
    with serving(Kind(hub_at, hub_bodies, Reply(201), ""), Reply(201)) as (buffer, service):
        buffer.put(["one", "two", "three"])
        (request,) = service.received
    assert request.path == "/usage-events/messages?api-version=2014-01"
    assert request.headers["content-type"] == "application/vnd.microsoft.servicebus.json"
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["x-ms-retrypolicy"] == "NoRetry"
    assert json.loads(request.body)[-1] == {"Body": "one"}


def test_a_hub_is_sent_no_more_than_it_takes_at_once() -> None:
    with serving(Kind(hub_at, hub_bodies, Reply(201), ""), Reply(201)) as (buffer, service):
        buffer.put(["x" * 49_000 for _ in range(40)])
        assert all(len(request.body) <= MAX_REQUEST_BYTES + 2 for request in service.received)
        assert len(service.received) == 3


def test_a_hub_that_is_not_there_names_the_setting() -> None:
    with (
        serving(Kind(hub_at, hub_bodies, Reply(201), ""), Reply(404)) as (buffer, _),
        pytest.raises(Misconfigured, match="EVENT_HUB__fullyQualifiedNamespace"),
    ):
        buffer.put(["one"])
