"""What receivers answer when something between us and them is broken: the status counts."""

import gzip
import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from time import perf_counter

import pytest
from pydantic import SecretStr

from shared.alerting.page import Accepted, Later
from shared.notify.heartbeat import Heartbeat
from tests.loopback import Reply
from tests.paged import OK, OVER_HTTP, PAGE, made, sent

LONG = "9" * 400
FAR = {"Retry-After": f"Mon, 23 Nov 2026 12:00:00 +{LONG}", "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}
ODD = [
    pytest.param(b"oops", {"Content-Type": "text/plain; charset=undefined"}, id="undefined"),
    pytest.param(b"oops", {"Content-Type": "text/plain; charset=idna"}, id="idna"),
    pytest.param(b"\xff\xfe\xff", {"Content-Type": "text/plain; charset=utf-16"}, id="half"),
    pytest.param(b"oops", {"Content-Encoding": "gzip"}, id="no gzip"),
    pytest.param(b"oops", FAR, id="zone beyond the world"),
    pytest.param(b"oops", {"Retry-After": LONG}, id="for ever"),
    pytest.param(b"oops", {"Retry-After": "-5"}, id="before now"),
    pytest.param(b"oops", {"Retry-After": "²"}, id="no number"),
    pytest.param(b"\x00\x1b[31m\xed\xa0\xbd", {}, id="control characters"),
]


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(("body", "headers"), ODD)
def test_an_odd_refusal_waits(kind: str, body: bytes, headers: dict[str, str]) -> None:
    outcome, calls = sent(kind, Reply(503, body, headers))
    assert isinstance(outcome, Later)
    assert (outcome.cause, len(calls)) == ("unclear", 1)
    assert outcome.why.isprintable()


@pytest.mark.parametrize("kind", OVER_HTTP)
@pytest.mark.parametrize(("body", "headers"), ODD)
def test_an_odd_acceptance_is_one(kind: str, body: bytes, headers: dict[str, str]) -> None:
    status = OK[kind] if OK[kind] != 204 else 200
    assert sent(kind, Reply(status, body, headers))[0] == Accepted(status)


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_a_packed_flood_is_not_unpacked(kind: str) -> None:
    flood = gzip.compress(gzip.compress(b"\0" * 50_000_000, 1), 1)
    outcome, _ = sent(kind, Reply(500, flood, {"Content-Encoding": "gzip, gzip"}))
    assert isinstance(outcome, Later)
    assert len(outcome.why) < 400


@contextmanager
def dripping(pieces: Sequence[bytes], pause_s: float) -> Generator[str, None, None]:
    """Answer one request piece by piece, while the caller stays; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as caller:
                caller.recv(65_536)
                try:
                    for piece in pieces:
                        caller.sendall(piece)
                        threading.Event().wait(pause_s)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


HEAD = b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\n"
LEFT_S = 30
"""The whole answer takes 90 s; to leave it takes a moment, or some on a busy machine."""


@pytest.mark.parametrize("kind", OVER_HTTP)
def test_an_answer_without_end_is_left(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.notify.call.TIMEOUT_S", (1, 0.3))
    with dripping([HEAD, *[b"x"] * 900], 0.1) as url:
        began_s = perf_counter()
        assert made(kind, url).send(PAGE) == Accepted(202)
        assert perf_counter() - began_s < LEFT_S


def test_a_heartbeat_reads_the_status_alone(caplog: pytest.LogCaptureFixture) -> None:
    with dripping([HEAD.replace(b"202", b"500"), *[b"x"] * 900], 0.1) as url:
        began_s = perf_counter()
        Heartbeat(SecretStr(url)).beat()
        assert perf_counter() - began_s < LEFT_S
    assert "HEARTBEAT_URL answered 500" in caplog.text
