"""How the exporter sends: requests, sizes, threads, silence of the SDK, settings."""

import gzip
import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor  # pyright: ignore[reportMissingTypeStubs]  # it ships none
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.adapters.azure.azure_monitor import REQUEST_MAX_BYTES, AzureMonitorExporter
from shared.errors import Misconfigured
from tests.breeze import BOTH, KEY, accept, connection, event, exporter, metric, said, track
from tests.loopback import Reply, Request, loopback

ROOT = Path(__file__).parents[2]


@BOTH
def test_twelve_hundred_rows_go_out_as_three_requests(by_sdk: bool) -> None:
    with loopback(accept) as server:
        monitor = exporter(server, by_sdk=by_sdk)
        events = monitor.events([event(i) for i in range(1200)])
        metrics = monitor.metrics([metric(i) for i in range(1200)])
    assert said(events) == said(metrics) == ["exported"] * 1200
    assert [len(r.json()) for r in server.received] == [500, 500, 200] * 2
    assert numbers(server.received[:3]) == list(range(1200))


@BOTH
def test_large_rows_go_out_in_requests_of_at_most_a_megabyte(by_sdk: bool) -> None:
    large = {f"part{i}": "x" * 8000 for i in range(5)}
    with loopback(accept) as server:
        sent = exporter(server, by_sdk=by_sdk).events([event(i, large) for i in range(60)])
    assert said(sent) == ["exported"] * 60
    assert numbers(server.received) == list(range(60))
    assert all(raw_bytes(request) <= REQUEST_MAX_BYTES for request in server.received)
    assert len(server.received) == 3


@BOTH
def test_bodies_are_packed(by_sdk: bool) -> None:
    with loopback(accept) as server:
        exporter(server, by_sdk=by_sdk).events([event(i) for i in range(100)])
    request = server.received[0]
    assert request.headers["content-encoding"] == "gzip"
    assert int(request.headers["content-length"]) == len(request.body)
    assert len(request.body) * 10 < raw_bytes(request)


def test_no_rows_make_no_request() -> None:
    with loopback(accept) as server:
        assert list(exporter(server).events([])) == []
        assert list(exporter(server).metrics([])) == []
    assert server.received == []


@BOTH
def test_a_request_that_is_too_large_for_the_service_is_halved_until_it_fits(by_sdk: bool) -> None:
    with loopback(lambda r: Reply(413) if len(r.json()) > 2 else accept(r)) as server:
        sent = exporter(server, by_sdk=by_sdk).events([event(i) for i in range(7)])
    assert said(sent) == ["exported"] * 7
    taken = [request for request in server.received if len(request.json()) <= 2]
    assert numbers(taken) == list(range(7))


@pytest.mark.parametrize("status", [401, 403, 429, 439, 503])
@BOTH
def test_a_service_that_is_closed_to_us_is_asked_once_a_batch(status: int, by_sdk: bool) -> None:
    with loopback(lambda request: Reply(status, b"", {"Retry-After": "1"})) as server:
        sent = exporter(server, by_sdk=by_sdk).events([event(i) for i in range(1200)])
        assert said(sent) == ["later 1"] * 1200
        assert len(server.received) == 1
        exporter(server, by_sdk=by_sdk).events([event()])
    assert len(server.received) == 2


@BOTH
def test_a_request_that_fails_alone_does_not_stop_its_neighbours(by_sdk: bool) -> None:
    with loopback(lambda r: Reply(500) if number(r.json()[0]) == 500 else accept(r)) as server:
        sent = exporter(server, by_sdk=by_sdk).events([event(i) for i in range(1200)])
    assert said(sent) == ["exported"] * 500 + ["later"] * 500 + ["exported"] * 200


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns after a microsecond, so that what they share shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
@BOTH
def test_threads_that_share_an_exporter_keep_their_outcomes_apart(by_sdk: bool) -> None:
    meet = threading.Barrier(8)

    def refuse_odd(request: Request) -> Reply:
        meet.wait(10)
        odd = [i for i, item in enumerate(request.json()) if number(item) % 2]
        return track(206, len(request.json()), [(i, 400, "odd") for i in odd])

    def send(thread: int) -> list[list[str]]:
        return [said(monitor.events([event(i * thread) for i in range(thread)])) for _ in range(5)]

    def expected(thread: int) -> list[list[str]]:
        words = ["refused 400" if i * thread % 2 else "exported" for i in range(thread)]
        return [words] * 5

    with loopback(refuse_odd) as server, ThreadPoolExecutor(8) as pool:
        monitor = exporter(server, by_sdk=by_sdk)
        assert list(pool.map(send, range(1, 9))) == [expected(thread) for thread in range(1, 9)]


SCRIPT = """
import sys, threading
from tests.breeze import *
here, azure = (AzureMonitorExporter(connection(endpoint)) for endpoint in sys.argv[1:])
print("azure.monitor" in sys.modules)
print(said(here.events([event()])), said(here.metrics([metric()])), said(azure.events([event()])))
print([thread.name for thread in threading.enumerate()])
"""


def test_the_sdk_leaves_neither_a_thread_nor_a_file_nor_a_call_of_its_own(tmp_path: Path) -> None:
    azure = "https://westeurope-5.in.applicationinsights.azure.com"
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1"}  # no word leaves this machine
    with loopback(accept) as server:
        done = subprocess.run(  # noqa: S603  # our own script
            [sys.executable, "-c", SCRIPT, server.url, azure],
            env={"TMPDIR": str(tmp_path), **nowhere},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    assert done.stdout.splitlines() == [
        "False",
        "['exported'] ['exported'] ['later']",
        "['MainThread']",
    ]
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
    assert [request.path for request in server.received] == ["/v2.1/track"] * 2


@BOTH
def test_exports_are_not_traced_as_calls_of_the_app(by_sdk: bool) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = RequestsInstrumentor() if by_sdk else URLLib3Instrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with loopback(accept) as server:
            exporter(server, by_sdk=by_sdk).events([event()])
    finally:
        instrumentor.uninstrument()
    assert spans.get_finished_spans() == ()


@BOTH
def test_a_good_export_logs_nothing(caplog: pytest.LogCaptureFixture, by_sdk: bool) -> None:
    caplog.set_level(logging.DEBUG)
    with loopback(accept) as server:
        exporter(server, by_sdk=by_sdk).events([event()])
    assert caplog.records == []


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        KEY,
        "InstrumentationKey=",
        f"InstrumentationKey={KEY.replace('4', 'A')}",
        "InstrumentationKey=secret-1;IngestionEndpoint=https://x.example/",
        f"InstrumentationKey={KEY};IngestionEndpoint=x.example",
        f"InstrumentationKey={KEY};IngestionEndpoint=https://x.example/?a=b",
        f"InstrumentationKey={KEY};;IngestionEndpoint=https://x.example/",
    ],
)
def test_a_wrong_connection_string_is_named_and_never_quoted(wrong: str) -> None:
    with pytest.raises(Misconfigured, match="APPLICATIONINSIGHTS_CONNECTION_STRING") as caught:
        AzureMonitorExporter(wrong)
    shown = "".join(traceback.format_exception(caught.value))
    assert "secret-1" not in shown
    assert "x.example" not in shown
    assert KEY not in shown


@pytest.mark.parametrize("wrong", ["AAD", "Authorization=key", "ClientId=secret-1"])
def test_an_authentication_that_is_not_understood_is_named_and_never_quoted(wrong: str) -> None:
    with pytest.raises(Misconfigured, match="AUTHENTICATION_STRING") as caught:
        AzureMonitorExporter(connection("https://x.example"), wrong)
    assert "secret-1" not in "".join(traceback.format_exception(caught.value))


def test_an_identity_over_plain_http_is_refused_at_once() -> None:
    with pytest.raises(Misconfigured, match="plain http"):
        AzureMonitorExporter(connection("http://127.0.0.1:1"), "Authorization=AAD")


def test_a_semicolon_and_a_line_end_after_the_connection_string_do_no_harm() -> None:
    with loopback(accept) as server:
        monitor = AzureMonitorExporter(connection(server.url) + ";\n")
        assert said(monitor.events([event()])) == ["exported"]


def numbers(requests: Sequence[Request]) -> list[float]:
    """Return the number of every event sent, in order."""
    return [number(item) for request in requests for item in request.json()]


def number(item: dict[str, dict[str, dict[str, dict[str, float]]]]) -> float:
    return item["data"]["baseData"]["measurements"]["number"]


def raw_bytes(request: Request) -> int:
    return len(gzip.decompress(request.body))
