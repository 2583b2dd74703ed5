"""The queue is written before the answer, by the real client over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import closing
from time import perf_counter

import pytest

from local.server import serve
from shared.adapters.azure.event_queue import AccountEventQueue
from shared.adapters.azure.identity import Identity
from shared.adapters.azure.poison_queue import QUEUE
from shared.errors import AgentmeterError, Misconfigured, RetryLater
from standin.functions_host.queues import Queues
from standin.functions_host.storage import QueueService, connection_string
from tests.fakes import FakeClock
from tests.loopback import Behaviour, Reply, Request, loopback


@pytest.fixture
def queues() -> Iterator[Queues]:
    made = Queues(None, FakeClock())
    yield made
    made.close()


@pytest.fixture
def service(queues: Queues) -> Iterator[str]:
    server = serve(QueueService(lambda: queues, "s", FakeClock()).asgi)
    yield server.url
    server.stop()


def put(url: str, *texts: str, signature: str = "s") -> None:
    made = AccountEventQueue(connection_string(url, signature), Identity())
    with closing(made) as queue:
        queue.put(texts)


def bodies(queues: Queues) -> list[bytes]:
    return [message.body for message in queues.peek(QUEUE)]


def test_messages_are_stored_and_a_missing_queue_is_created(service: str, queues: Queues) -> None:
    put(service, "one", "two", "<é>")
    assert sorted(bodies(queues)) == sorted([b"one", b"two", "<é>".encode()])
    put(service, "x" * 49_152)
    assert len(bodies(queues)) == 4
    with pytest.raises(RetryLater, match=r"\(413\)"):
        put(service, "x" * 49_153)


def test_a_wrong_signature_names_the_role(service: str, queues: Queues) -> None:
    with pytest.raises(Misconfigured, match="Storage Queue Data Contributor"):
        put(service, "one", signature="t")
    assert bodies(queues) == []


def fails(behave: Callable[[Request], Behaviour], error: type[AgentmeterError]) -> int:
    """Put three messages, which must fail within 5 s; return how many requests that took."""
    began_s = perf_counter()
    with loopback(behave) as service, pytest.raises(error):
        put(service.url, "one", "two", "three")
    assert perf_counter() - began_s < 5
    return len(service.received)


@pytest.mark.parametrize("status", [400, 500, 503])
def test_an_error_of_the_queue_is_reported_at_once(status: int) -> None:
    assert fails(lambda _: Reply(status), RetryLater) == 2


@pytest.mark.parametrize("behaviour", ["hang up", "silence"])
def test_a_queue_without_answer_is_reported_within_5_s(behaviour: Behaviour) -> None:
    assert fails(lambda _: behaviour, RetryLater) == 2


def test_what_counts_refusals_is_stored_last() -> None:
    """Of a request that comes again, events count once by their claims; refusals have none."""
    seen: list[bytes] = []

    def second_fails(request: Request) -> Behaviour:
        seen.append(request.body)
        return Reply(400)

    with loopback(second_fails) as service, pytest.raises(RetryLater):
        put(service.url, "first", "second")
    assert [b"c2Vjb25k" in body for body in seen] == [True]
