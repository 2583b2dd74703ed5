"""Azure's real Python worker under load: every body arrives, nothing hangs, memory stays flat."""

import http.client
import json
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from functions.web.pairs import ID, PATIENCE_S
from shared.events.message import decode
from tests.factories import event
from tests.infra.test_worker import PYTHON
from tests.infra.worker_site import LIMIT_S, Site, site

__all__ = ["site"]
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="WORKER_PYTHON is not set; .ci/worker sets it"),
    pytest.mark.timeout(900),
]
REQUESTS, CLIENTS, LEAVING = 5_000, 8, 1_000
FAILING_EVERY = 100
"""One request in so many meets an exception that no route foresees."""
MOST_GROWTH_KB = 12_000
JSON = {"content-type": "application/json"}
HEAD = "POST /api/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
ODD = [
    pytest.param("Z\u00fcrich", {202}, id="outside ASCII"),
    pytest.param("Z\x01rich", {202, 400}, id="a control character"),  # as the server's parser is
]


def post(connection: http.client.HTTPConnection, number: int) -> int:
    """Send an event in two chunks, or ask for what fails; return the status."""
    if number % FAILING_EVERY == 0:
        connection.request("GET", "/api/fail")
    else:
        body = json.dumps(event(number=number)).encode()
        parts = iter((body[:20], body[20:]))
        connection.request("POST", "/api/events", parts, JSON, encode_chunked=True)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def load(site: Site, numbers: range) -> Counter[int]:
    """Send the requests from several clients, each on one connection; count the statuses."""

    def client(own: range) -> list[int]:
        with closing(site.connect()) as connection:
            return [post(connection, number) for number in own]

    with ThreadPoolExecutor(CLIENTS) as pool:
        parts = [numbers[first::CLIENTS] for first in range(CLIENTS)]
        return Counter(status for part in pool.map(client, parts) for status in part)


def leave(port: int, number: int) -> None:
    """Begin a request and go away in the middle of it."""
    odd = f"{ID}: made up {number}\r\nX-Team: Z\u00fcrich\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        connection.sendall(f"{HEAD}{odd}{{".encode("latin-1"))


def wait_for_none(site: Site) -> None:
    """Let what waits for its other half give it up."""
    ends = time.monotonic() + PATIENCE_S + LIMIT_S
    while site.waiting():
        assert time.monotonic() < ends
        threading.Event().wait(0.5)


def test_nothing_is_lost_and_memory_is_flat(site: Site) -> None:
    load(site, range(1, 501))
    before_kb = site.rss_kb()
    statuses = load(site, range(501, REQUESTS + 1))
    failed = REQUESTS // FAILING_EVERY - 500 // FAILING_EVERY
    assert statuses == {202: REQUESTS - 500 - failed, 500: failed}
    assert site.waiting() == 0
    assert site.rss_kb() - before_kb < MOST_GROWTH_KB
    arrived = {e.id for text in site.messages() for e in decode(text).events}
    assert len(arrived) == REQUESTS - REQUESTS // FAILING_EVERY


@pytest.mark.parametrize("where", ["host", "worker"])
def test_clients_that_leave_keep_nothing_waiting(site: Site, where: str) -> None:
    port, used_kb = site.port if where == "host" else site.worker_port(), list[int]()
    for first in (0, LEAVING // 2):
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(partial(leave, port), range(first, first + LEAVING // 2)))
        assert load(site, range(first + 1, first + 100)) == {202: 99}
        wait_for_none(site)
        used_kb.append(site.rss_kb())
    assert used_kb[1] - used_kb[0] < MOST_GROWTH_KB


@pytest.mark.parametrize(("value", "allowed"), ODD)
def test_an_odd_header_fails_no_later_request(site: Site, value: str, allowed: set[int]) -> None:
    body = json.dumps(event(number=1)).encode()
    head = f"{HEAD}X-Team: {value}\r\nContent-Length: {len(body)}\r\n\r\n".encode("latin-1")
    good = f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", site.port), timeout=LIMIT_S) as connection:
        statuses = list[int]()
        for sent in (head, good, good):
            connection.sendall(sent + body)
            said = http.client.HTTPResponse(connection)
            said.begin()
            said.read()
            statuses.append(said.status)
    assert statuses[0] in allowed
    assert statuses[1:] == [202, 202]
    wait_for_none(site)
