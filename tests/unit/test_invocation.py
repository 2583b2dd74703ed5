"""What an invocation records of itself, and what its log lines say."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import logs
from shared.errors import RetryLater
from shared.invocation import (
    Invocation,
    Span,
    about,
    carried,
    failed,
    here,
    posting,
    read_traceparent,
    running,
    traceparent,
    working,
)
from shared.rows import INGESTION, ExportLater
from shared.usecases.telemetry import Telemetry
from tests.fakes import START, FakeExporter

HOST = Span("a" * 32, "b" * 16)
CAUSE = Span("c" * 32, "d" * 16)
SECRET = "https://hooks.example.org/services/T0/a-secret-path"  # noqa: S105 - no real one
logger = logging.getLogger("shared.tests")


def invocation() -> Invocation:
    return Invocation("evaluate_alerts", "i-1", HOST, lambda: START)


class Host(logging.Handler):
    """The root's handler, which is the worker's in Azure."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def host() -> Iterator[Host]:
    handler = Host()
    logging.getLogger().addHandler(handler)
    logs.set_up("INFO")
    yield handler
    logging.getLogger().removeHandler(handler)
    for name in logs.PACKAGES:
        own = logging.getLogger(name)
        own.handlers.clear()
        own.propagate = True
        own.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (f"00-{'a' * 32}-{'b' * 16}-01", HOST),
        (f"00-{'0' * 32}-{'b' * 16}-01", Span()),
        (f"00-{'A' * 32}-{'b' * 16}-01", Span()),
        ("", Span()),
    ],
)
def test_a_traceparent_is_read_or_there_is_none(text: str, span: Span) -> None:
    assert read_traceparent(text) == span


def test_a_call_is_a_dependency_of_the_invocation_with_its_answer() -> None:
    url = "https://events.pagerduty.com/v2/enqueue"
    with running(one := invocation()), about(rule="Errors/error"), posting(url) as call:
        call.answered(503)
    assert here() is None
    exporter = FakeExporter()
    Telemetry(lambda: exporter).send(one)
    (row,) = exporter.span_rows
    assert (row.name, row.url, row.result, row.failed, row.client) == (
        *("POST /v2/enqueue", "https://events.pagerduty.com/v2/enqueue", "503", True, True),
    )
    assert (row.trace_id, row.parent_id, row.time) == (HOST.trace_id, HOST.span_id, START)
    whose = {"function": "evaluate_alerts", "invocation_id": "i-1"}
    assert row.text == {**whose, "rule": "Errors/error"}
    assert exporter.failure_rows == []


def test_what_a_call_raises_is_an_exception_below_it_and_only_our_own_words_are_reported() -> None:
    with running(one := invocation()):
        for exc in (RetryLater("HTTP 503. It tries again."), OSError(SECRET)):
            with pytest.raises(type(exc)), posting("https://api.loganalytics.io/v1/query"):
                raise exc
    exporter = FakeExporter()
    Telemetry(lambda: exporter).send(one)
    assert [row.failed for row in exporter.span_rows] == [True, True]
    ours, theirs = exporter.failure_rows
    assert (ours.type, ours.message) == ("RetryLater", "HTTP 503. It tries again.")
    assert ours.parent_id == exporter.span_rows[0].span_id
    assert "test_invocation.py" in ours.stack
    assert (theirs.type, theirs.message) == ("OSError", "")
    assert SECRET not in str(exporter.failure_rows)


def test_work_goes_on_in_the_trace_of_its_cause() -> None:
    with running(one := invocation()):
        assert traceparent() == HOST.traceparent
        with working("process_events", CAUSE), posting("http://127.0.0.1:7072/v2.1/track") as call:
            call.answered(200)
    call, work = one.calls
    assert (work.name, work.span.trace_id, work.parent_id) == (
        *("process_events", CAUSE.trace_id, CAUSE.span_id),
    )
    assert (call.span.trace_id, call.parent_id) == (CAUSE.trace_id, work.span.span_id)
    assert work.about["invocation_trace_id"] == HOST.trace_id


def test_other_threads_work_for_the_invocation_and_the_host_is_reported_so() -> None:
    adopted: list[str] = []
    one = Invocation("f", "i", HOST, lambda: START, lambda: adopted.append("thread"))

    def call(rule: str) -> None:
        with about(rule=rule), posting("http://x/y") as posted:
            posted.answered(200)

    with running(one), ThreadPoolExecutor(2) as pool:
        list(pool.map(carried(call), ["a", "b", "c"]))
    assert sorted(call.about["rule"] for call in one.calls) == ["a", "b", "c"]
    assert len(adopted) == 3


def test_outside_of_an_invocation_nothing_is_recorded_and_nothing_breaks() -> None:
    with about(rule="x"), working("w", CAUSE), posting("http://x/y") as call:
        call.answered(200)
        failed(OSError("no"))
    assert (here(), traceparent()) == (None, "")


def test_azure_monitor_is_not_reported_where_it_has_just_failed_to_answer() -> None:
    with running(one := invocation()), posting(f"http://x{INGESTION.split()[1]}") as call:
        call.answered(None)
    exporter = FakeExporter()
    Telemetry(lambda: exporter).send(one)
    assert exporter.span_rows == []


def test_telemetry_that_is_not_taken_is_said_and_breaks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running(one := invocation()), posting("http://x/y") as call:
        call.answered(200)
    exporter = FakeExporter()
    exporter.span_outcome = lambda row: ExportLater("Azure Monitor answered 503.")
    Telemetry(lambda: exporter).send(one)
    assert "Azure Monitor answered 503" in caplog.text


def test_a_log_line_is_a_json_object_that_says_where_it_is_from(host: Host) -> None:
    with running(invocation()), about(rule="Errors/error"):
        logger.info("Of %d events, %d were accepted.", 3, 2, extra={"accepted": 2})
    logger.debug("not at this level")
    (record,) = host.records
    line = json.loads(record.getMessage())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "message": "Of 3 events, 2 were accepted.",
        "logger": "shared.tests",
        "function": "evaluate_alerts",
        "invocation_id": "i-1",
        "trace_id": HOST.trace_id,
        "span_id": HOST.span_id,
        "rule": "Errors/error",
        "accepted": 2,
    }
    assert (record.name, record.levelno) == ("shared.tests", logging.INFO)


def test_of_an_exception_a_log_line_says_the_frames_and_not_the_words(host: Host) -> None:
    try:
        raise OSError(SECRET)
    except OSError:
        logger.exception("rule %s failed", "a")
    text = logging.Formatter().format(host.records[0])
    line = json.loads(text)
    assert line["exception"] == "OSError"
    assert "test_invocation.py" in line["stack"][0]
    assert SECRET not in text
