"""Azure's own Storage emulator stops under a stack that writes its queue there."""

import json
import signal
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from azure.storage.queue import QueueClient

from shared.adapters.azure.poison_queue import QUEUE
from tests.coding_agents import body_of
from tests.contract.azurite import emulator
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import Laptop, laptop
from tests.journeys.test_broken_queue import JSON, SPANS, send

SENT = {
    "events": ("/api/events", JSON, json.dumps(event()).encode()),
    "traces": ("/v1/traces", "application/x-protobuf", SPANS),
    "logs": ("/v1/logs", JSON, body_of("codex.logs")),
}
LIMIT_S = 5


def statuses(box: Laptop) -> dict[str, tuple[int, str]]:
    """Send each kind; return its status and Retry-After. Each is answered within five seconds."""
    answers: dict[str, tuple[int, str]] = {}
    for kind, (path, media, body) in SENT.items():
        began_s = perf_counter()
        answer = send(box, path, media, body)
        assert perf_counter() - began_s < LIMIT_S, kind
        answers[kind] = (answer.status_code, answer.headers.get("Retry-After", ""))
    return answers


def stored(account: str) -> int:
    """Return how many messages are in the queue."""
    with closing(QueueClient.from_connection_string(account, QUEUE)) as queue:
        return len(queue.peek_messages(32))


@pytest.mark.azurite
def test_a_queue_that_is_stopped_is_503_in_time(tmp_path: Path) -> None:
    refused = dict.fromkeys(SENT, (503, "30"))
    taken = {"events": (202, ""), "traces": (200, ""), "logs": (200, "")}
    with emulator(tmp_path) as azurite:
        account = azurite.account()
        with laptop(tmp_path / "home", FakeClock(START), AzureWebJobsStorage=account) as box:
            assert (statuses(box), stored(account)) == (taken, 3)
            azurite.process.send_signal(signal.SIGSTOP)  # it accepts, and never answers
            try:
                assert statuses(box) == refused
            finally:
                azurite.process.send_signal(signal.SIGCONT)
            assert statuses(box) == taken
            assert stored(account) >= 6
            azurite.process.kill()  # now connections are refused
            azurite.process.wait()
            assert statuses(box) == refused
