"""How many messages were set aside, asked by the real client over HTTP."""

from collections.abc import Iterator

import pytest

from local.server import serve
from shared.adapters.azure.identity import Identity
from shared.adapters.azure.poison_queue import POISON, AccountPoisonQueue
from shared.errors import Misconfigured, RetryLater
from standin.functions_host import storage
from standin.functions_host.queues import Queues
from tests.fakes import FakeClock
from tests.loopback import Reply, loopback


@pytest.fixture
def queues() -> Iterator[Queues]:
    made = Queues(None, FakeClock())
    yield made
    made.close()


def counted(url: str) -> int:
    return AccountPoisonQueue(storage.connection_string(url, "s"), Identity()).count()


def test_the_laptops_queues_are_counted_as_azures_are(queues: Queues) -> None:
    server = serve(storage.QueueService(lambda: queues, "s", FakeClock()).asgi)
    try:
        assert counted(server.url) == 0
        for queue, text in ((POISON, "one"), (POISON, "two"), ("usage-events", "three")):
            queues.put(queue, text)
        queues.lease(POISON, 1)
        assert counted(server.url) == 2
    finally:
        server.stop()


def test_a_queue_that_may_not_be_seen_names_the_role() -> None:
    refusal = pytest.raises(Misconfigured, match="Storage Queue Data Reader")
    with loopback(lambda _: Reply(403)) as service, refusal:
        counted(service.url)


def test_no_answer_is_asked_again_in_the_next_tick() -> None:
    silence = pytest.raises(RetryLater, match="did not answer: 400")
    with loopback(lambda _: Reply(400)) as service, silence:
        counted(service.url)


def test_no_account_is_named_as_the_settings_that_are_missing() -> None:
    with pytest.raises(Misconfigured, match="AzureWebJobsStorage__queueServiceUri"):
        AccountPoisonQueue("", Identity()).count()
