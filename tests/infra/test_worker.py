"""The app under Azure's real Python worker; .ci/worker says where that is."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.server import serve
from local.stack import INSTRUMENTATION_KEY
from shared.events.message import decode
from shared.settings import operator_environment
from standin.functions_host.queues import Queues
from standin.functions_host.storage import QueueService, connection_string
from tests.factories import event
from tests.fakes import FakeClock
from tests.triggers.test_index import TRIGGERS

ROOT = Path(__file__).parent.parent.parent
PYTHON = operator_environment().get("WORKER_PYTHON", "")
HOST = operator_environment().get("WORKER_HOST", "")
SETTINGS = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={INSTRUMENTATION_KEY}",
    "LOGS_WORKSPACE_ID": "none",
}
pytestmark = pytest.mark.skipif(not PYTHON, reason="WORKER_PYTHON is not set; .ci/worker sets it")


def host(*arguments: str, **more: str) -> str:
    given = {**SETTINGS, **more}
    settings = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    done = subprocess.run(  # noqa: S603 - our own command
        [PYTHON, HOST, *settings, str(ROOT), *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_worker_lists_exactly_our_functions() -> None:
    listed = json.loads(host("list"))["functions"]
    assert sorted(function["name"] for function in listed) == sorted(TRIGGERS)


def test_the_worker_lists_the_trigger_of_the_event_hub() -> None:
    namespace = {"EVENT_HUB__fullyQualifiedNamespace": "ns.servicebus.windows.net"}
    listed = json.loads(host("list", **namespace))["functions"]
    assert "process_event_hub" in {function["name"] for function in listed}


@pytest.fixture
def queues() -> Iterator[Queues]:
    made = Queues(None, FakeClock())
    yield made
    made.close()


@pytest.mark.parametrize(("proxying", "more"), [("1", ["--chunked"]), ("1", []), ("0", [])])
def test_an_event_is_in_the_queue_when_the_worker_answers(
    queues: Queues, proxying: str, more: list[str]
) -> None:
    server = serve(QueueService(lambda: queues, "s", FakeClock()).asgi)
    answer: dict[str, Any] = json.loads(
        host(
            *("http", "POST", "/api/events", "-d", json.dumps(event())),
            *("-H", "content-type: application/json", *more),
            HTTP_PROXYING=proxying,
            AzureWebJobsStorage=connection_string(server.url, "s"),
        )
    )
    server.stop()
    assert (answer["http"]["status"], answer.get("outputs")) in ((202, None), (202, {}))
    (message,) = queues.peek("usage-events")
    assert [e.id for e in decode(message.body.decode()).events] == [event()["id"]]
