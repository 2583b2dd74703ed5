"""The queue does not take what is sent: every sender is asked to come again, and nothing counts."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest
import requests

from local.server import serve
from standin.functions_host.storage import QueueService, connection_string
from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop
from tests.loopback import loopback
from tests.spans import CHAT, span, wire

JSON = "application/json"
SPANS = wire([span(CHAT)]).SerializeToString()
SENT = [
    pytest.param("/api/events", JSON, json.dumps(event()).encode(), id="event"),
    pytest.param("/api/events", JSON, json.dumps([event(), 7]).encode(), id="some-refused"),
    pytest.param("/api/events", JSON, b"{", id="all-refused"),
    pytest.param("/v1/traces", "application/x-protobuf", SPANS, id="span"),
]


def send(box: Laptop, path: str, media: str, body: bytes) -> requests.Response:
    headers = {"content-type": media, "x-functions-key": box.stack.places.key()}
    url = box.stack.app_url + path
    return box.http.post(url, data=body, headers=headers, timeout=TIMEOUT_S)


@pytest.fixture
def silent() -> Iterator[str]:
    with loopback(lambda _: "silence") as service:
        yield connection_string(service.url, "s")


@pytest.mark.slow
@pytest.mark.parametrize(("path", "media", "body"), SENT)
def test_each_sender_is_asked_to_come_again_within_5_s(
    tmp_path: Path, silent: str, path: str, media: str, body: bytes
) -> None:
    with laptop(tmp_path, FakeClock(START), AzureWebJobsStorage=silent) as box:
        began_s = perf_counter()
        answer = send(box, path, media, body)
        assert perf_counter() - began_s < 5
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert b"send it again, unchanged" in answer.content


def test_what_is_sent_again_counts_once(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START)) as box:
        service = next(s for s in box.stack.servers if s.url == box.stack.queue_url)
        port = int(service.url.rpartition(":")[2])
        service.stop()
        body = json.dumps([event(number=1), event(number=2)]).encode()
        assert send(box, "/api/events", JSON, body).status_code == 503
        assert box.stack.host.drain() == 0
        box.stack.servers.remove(service)
        signature = box.stack.settings["AzureWebJobsStorage"].rpartition("=")[2]
        again = QueueService(lambda: box.stack.host.queues, signature, box.clock)
        box.stack.servers.append(serve(again.asgi, port))
        for _ in range(2):
            assert send(box, "/api/events", JSON, body).status_code == 202
        assert box.stack.host.drain() == 2
        assert box.query("UsageEvents | summarize sum(Count)") == [[2]]
