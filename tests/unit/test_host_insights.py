"""The local host tells of its invocations as Azure's does."""

import logging
from collections.abc import Iterator

import azure.functions as func
import pytest

from standin.functions_host.host import LocalHost
from standin.functions_host.keys import Keys
from standin.monitor.store import MonitorStore
from tests.fakes import FakeClock
from tests.host_sample import HOST_JSON, KEY

QUEUE = "jobs"
logger = logging.getLogger("tests.sample")


def sample() -> func.FunctionApp:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")  # pyright: ignore[reportUnknownMemberType] - the SDK leaves **kwargs bare
    def work(message: func.QueueMessage) -> None:
        logger.warning("working on %s", message.get_body().decode())
        if message.get_body() == b"bad":
            raise ValueError("no such job")

    return app


@pytest.fixture
def monitor() -> Iterator[MonitorStore]:
    store = MonitorStore(None, FakeClock())
    yield store
    store.close()


@pytest.fixture
def host(monitor: MonitorStore) -> Iterator[LocalHost]:
    clock = FakeClock()
    made = LocalHost(
        sample(),
        host_json=HOST_JSON,
        settings={},
        state=None,
        keys=Keys(None, KEY, KEY),
        clock=clock,
    )
    made.insights.track = monitor.track
    yield made
    made.close()


def rows(monitor: MonitorStore, kql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in monitor.query(kql).rows]


def test_each_invocation_is_one_request_with_its_log_lines(
    host: LocalHost, monitor: MonitorStore
) -> None:
    for body in ("a", "b"):
        host.enqueue(QUEUE, body)
    host.drain()
    query = "AppRequests | summarize count(), dcount(OperationId) by Name, Success, ResultCode"
    assert rows(monitor, query) == [("work", True, "0", 2, 2)]
    joined = (
        "AppTraces | join kind=inner AppRequests on OperationId "
        "| where ParentId == Id | project Message, SeverityLevel | sort by Message asc"
    )
    assert rows(monitor, joined) == [("working on a", 2), ("working on b", 2)]


def test_a_failure_is_an_exception_of_its_request(host: LocalHost, monitor: MonitorStore) -> None:
    host.enqueue(QUEUE, "bad")
    host.drain()
    failed = (
        "AppRequests | where Success == false | join kind=inner AppExceptions on OperationId "
        "| project Name, ExceptionType, OuterMessage"
    )
    assert rows(monitor, failed) == [("work", "ValueError", "no such job")]


def test_a_line_of_no_invocation_is_nobodys(host: LocalHost, monitor: MonitorStore) -> None:
    logger.warning("outside")
    host.insights.flush()
    assert rows(monitor, "AppTraces") == []
