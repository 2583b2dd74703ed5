"""Requests over connections that stay open: what comes back, and what each failure is called."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import Pipeline, PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest

from shared.pooled_http import Answer, PooledHttp
from tests.loopback import Behaviour, Reply, Request, absent, loopback


def get(url: str, read_timeout_s: float = 5, **kwargs: float) -> Answer:
    with PooledHttp(5, read_timeout_s) as http:
        return http.send(HttpRequest("GET", url), **kwargs)


def test_sends_what_was_asked_and_returns_all() -> None:
    reply = Reply(409, b"taken", {"X-Why": "there"})
    with loopback(lambda _: reply) as server, PooledHttp(5, 5) as http:
        asked = HttpRequest("POST", f"{server.url}/a('b')?c=%24d", headers={"X": "y"}, content=b"z")
        answer = http.send(asked)
        (came,) = server.received
    assert (came.path, came.headers["x"], came.body) == ("/a('b')?c=%24d", "y", b"z")
    assert (answer.status_code, answer.content) == (409, b"taken")
    assert answer.headers.get("x-why") == "there"


def test_follows_no_redirect() -> None:
    with loopback(lambda _: Reply(307, b"", {"Location": "/elsewhere"})) as server:
        assert get(server.url).status_code == 307
        assert [request.path for request in server.received] == ["/"]


@contextmanager
def one_connection(*replies: bytes) -> Generator[str]:
    """Take a single connection, answer each request that comes over it, then close it."""

    def serve() -> None:
        taken, _ = listening.accept()
        with taken:
            for reply in replies:
                taken.recv(65_536)
                taken.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_a_connection_serves_many_requests() -> None:
    replies = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % n for n in range(3)]
    with one_connection(*replies) as url, PooledHttp(5, 5) as http:
        answers = [http.send(HttpRequest("GET", url)).content for _ in replies]
    assert answers == [b"0", b"1", b"2"]


def hangs_up(_: Request) -> Behaviour:
    return "hang up"


def says_nothing(_: Request) -> Behaviour:
    return "silence"


def test_a_lost_answer_may_have_been_acted_on() -> None:
    with loopback(hangs_up) as server, pytest.raises(ServiceResponseError):
        get(server.url)


@pytest.mark.parametrize("shorter", [{}, {"read_timeout": 0.1}])
def test_no_answer_in_time_is_a_lost_one(shorter: dict[str, float]) -> None:
    with loopback(says_nothing) as server, pytest.raises(ServiceResponseError):
        get(server.url, 5 if shorter else 0.1, **shorter)


def test_an_answer_that_is_cut_off_is_lost() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nhalf"
    with one_connection(half) as url, pytest.raises(ServiceResponseError):
        get(url)


def test_where_nothing_listens_nothing_was_sent() -> None:
    with absent() as gone, pytest.raises(ServiceRequestError):
        get(gone.url)


@pytest.mark.parametrize(("skipped", "error"), [("", ServiceRequestError), ("127.0.0.1", None)])
def test_proxies_are_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, skipped: str, error: type[Exception] | None
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", skipped)
    with loopback(lambda _: Reply()) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(ServiceRequestError) as caught:
            get(url)
    assert ("ProxyError" in str(caught.value)) is (error is not None)


class _Raises(SansIOHTTPPolicy[HttpRequest, Answer]):
    """Fails as a policy does that cannot answer a challenge."""

    def on_response(self, request: PipelineRequest[HttpRequest], response: object) -> None:
        del request
        raise HttpResponseError(response=response.http_response)  # type: ignore[attr-defined]


def test_errors_of_policies_name_the_answer() -> None:
    with loopback(lambda _: Reply(401, b"{}")) as server:
        pipeline = Pipeline[HttpRequest, Answer](PooledHttp(5, 5), [_Raises()])
        with pytest.raises(HttpResponseError, match="Unauthorized"):
            pipeline.run(HttpRequest("GET", server.url))
