"""Azure's real Python worker under load: every body arrives, nothing hangs, memory stays flat."""

import http.client
import json
import re
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from local.server import serve
from shared.events.message import decode
from standin.functions_host.queues import Queues
from standin.functions_host.storage import QueueService, connection_string
from tests.factories import event
from tests.fakes import FakeClock
from tests.infra.test_worker import HOST, PYTHON, ROOT, SETTINGS

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="WORKER_PYTHON is not set; .ci/worker sets it"),
    pytest.mark.timeout(900),
]
REQUESTS, CLIENTS, LEAVING = 5_000, 8, 1_000
FAILING_EVERY = 100
"""One request in so many meets an exception: its database cannot be opened."""
MOST_GROWTH_KB = 12_000
LIMIT_S = 60
JSON = {"content-type": "application/json"}


@dataclass
class Site:
    """The worker behind its host. port: of the host. worker: the process id."""

    port: int
    worker: int
    queues: Queues

    def post(self, connection: http.client.HTTPConnection, number: int) -> int:
        """Send an event in two chunks, or ask for what fails; return the status."""
        if number % FAILING_EVERY == 0:
            connection.request("GET", "/api/alerts")
        else:
            body = json.dumps(event(number=number)).encode()
            parts = iter((body[:20], body[20:]))
            connection.request("POST", "/api/events", parts, JSON, encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def rss_kb(self) -> int:
        """Return how much memory the worker holds."""
        status = Path(f"/proc/{self.worker}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])


@pytest.fixture
def site() -> Iterator[Site]:
    queues = Queues(None, FakeClock())
    storage = serve(QueueService(lambda: queues, "s", FakeClock()).asgi)
    given = SETTINGS | {
        "AzureWebJobsStorage": connection_string(storage.url, "s"),
        "AGENTMETER_STATE": "sqlite:/proc/nowhere/state.db",
    }
    settings = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    host = subprocess.Popen(  # noqa: S603 - our own command
        [PYTHON, "-u", HOST, *settings, str(ROOT), "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert host.stdout
    said = host.stdout.readline()
    children = Path(f"/proc/{host.pid}/task/{host.pid}/children").read_text(encoding="ascii")
    yield Site(int(said.rsplit(":", 1)[1]), int(children.split()[0]), queues)
    host.terminate()
    host.wait(30)
    host.stdout.close()
    storage.stop()
    queues.close()


def load(site: Site, numbers: range) -> Counter[int]:
    """Send the requests from several clients, each on one connection; count the statuses."""

    def client(own: range) -> list[int]:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=LIMIT_S)
        with closing(connection):
            return [site.post(connection, number) for number in own]

    with ThreadPoolExecutor(CLIENTS) as pool:
        parts = [numbers[first::CLIENTS] for first in range(CLIENTS)]
        return Counter(status for part in pool.map(client, parts) for status in part)


def leave(site: Site, number: int) -> None:
    """Begin a request and go away in the middle of it."""
    head = (
        f"POST /api/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"X-Team: Z\u00fcrich {number}\r\nContent-Length: 100\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=LIMIT_S) as connection:
        connection.sendall(head.encode("latin-1") + b"{")


def test_nothing_is_lost_and_memory_is_flat(site: Site) -> None:
    load(site, range(1, 501))
    before_kb = site.rss_kb()
    statuses = load(site, range(501, REQUESTS + 1))
    failed = REQUESTS // FAILING_EVERY - 500 // FAILING_EVERY
    assert statuses == {202: REQUESTS - 500 - failed, 503: failed}
    assert site.rss_kb() - before_kb < MOST_GROWTH_KB
    messages = site.queues.peek("usage-events", REQUESTS)
    arrived = {e.id for message in messages for e in decode(message.body.decode()).events}
    assert len(arrived) == REQUESTS - REQUESTS // FAILING_EVERY


def test_clients_that_leave_keep_nothing_waiting(site: Site) -> None:
    used_kb = list[int]()
    for first in (0, LEAVING // 2):
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(partial(leave, site), range(first, first + LEAVING // 2)))
        assert load(site, range(first + 1, first + 100)) == {202: 99}
        used_kb.append(site.rss_kb())
    assert used_kb[1] - used_kb[0] < MOST_GROWTH_KB
