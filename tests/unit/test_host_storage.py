"""The laptop's queue service, and what its host makes of messages that it cannot decode."""

import base64
from collections.abc import Iterator

import pytest
import requests

from local.server import serve
from standin.functions_host.host import LocalHost
from standin.functions_host.storage import ACCOUNT, QueueService
from tests.fakes import FakeClock
from tests.host_sample import Seen, sample_host

QUEUE = "work-items"


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def host(seen: Seen) -> Iterator[LocalHost]:
    made = sample_host(seen, FakeClock())
    made.queues.create(QUEUE)
    yield made
    made.close()


def put(host: LocalHost, text: str) -> int:
    """Put a text as it is into the queue over HTTP; return the status."""
    server = serve(QueueService(lambda: host.queues, "s", FakeClock()).asgi)
    url = f"{server.url}/{ACCOUNT}/{QUEUE}/messages?sig=s"
    body = f"<QueueMessage><MessageText>{text}</MessageText></QueueMessage>"
    answer = requests.post(url, data=body, timeout=10)
    server.stop()
    return answer.status_code


@pytest.mark.parametrize("text", ["no base64!", "{}", "YQ", "Y=Q=", "YQ==YQ"])
def test_text_that_is_no_base64_goes_to_poison_at_once_as_it_is(
    host: LocalHost, seen: Seen, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert put(host, text) == 201
    host.drain()
    assert seen.messages == []
    assert [m.body for m in host.queues.peek(f"{QUEUE}-poison")] == [text.encode()]
    assert "has reached MaxDequeueCount of" in caplog.text


@pytest.mark.parametrize("plain", [b"", b" ", "\ufeffé🦊".encode(), b"\x00", b"a\r\nb"])
def test_base64_arrives_exactly_with_spaces_in_it_too(
    host: LocalHost, seen: Seen, plain: bytes
) -> None:
    encoded = base64.b64encode(plain).decode()
    assert put(host, f" {encoded[:2]}\n{encoded[2:]} ") == 201
    host.drain()
    assert [body for _, body, _ in seen.messages] == [plain]
