"""Queries through the real client: what comes back, and what each failure becomes."""

import json
import logging
import math
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.adapters.azure.log_analytics import LogAnalytics
from shared.errors import GiveUp, Misconfigured, RetryLater
from shared.ports import Table
from tests.loopback import Behaviour, Loopback, Reply, Request, absent, loopback

WORKSPACE = "11111111-2222-3333-4444-555555555555"
START = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
END = START + timedelta(hours=1, microseconds=1)
JSON = {"Content-Type": "application/json"}
KQL = 'UsageEvents | where Name == "llm.call" | summarize value = sum(CostUsd)'


def table(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]
) -> dict[str, object]:
    named = [{"name": name, "type": kql_type} for name, kql_type in columns]
    return {"tables": [{"name": "PrimaryResult", "columns": named, "rows": rows}]}


def answer(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), JSON)


def fault(status: int, code: str, message: str, **inner: object) -> Reply:
    error = {"code": "BadArgumentError", "message": "The request had some invalid properties"}
    innermost = {"code": code, "message": message, **inner}
    semantic = {"code": "SemanticError", "message": "A semantic error", "innererror": innermost}
    return answer(status, {"error": {**error, "innererror": semantic}})


ONE = answer(200, table([("value", "real")], [[1.5]]))


def log(server: Loopback) -> LogAnalytics:
    return LogAnalytics(server.url, WORKSPACE)


def ask(behaviour: Behaviour) -> Table:
    with loopback(lambda request: behaviour) as server:
        return log(server).query(KQL, START, END)


def test_a_query_says_its_window_and_how_long_it_may_take() -> None:
    with loopback(lambda request: ONE) as server:
        LogAnalytics(server.url, WORKSPACE, server_timeout_s=45).query(KQL, START, END)
    request = server.received[0]
    assert request.path == f"/v1/workspaces/{WORKSPACE}/query"
    assert request.headers["prefer"] == "wait=45"
    assert request.headers["authorization"] == "Bearer local"
    said = request.json()
    assert said["query"] == KQL
    assert said["timespan"] == "2026-03-04T05:00:00.000Z/2026-03-04T06:00:00.000001Z"


@pytest.mark.parametrize(
    ("kql_type", "cell", "expected"),
    [
        ("real", 1.5, 1.5),
        ("real", 2, 2.0),
        ("real", "Infinity", math.inf),
        ("real", "-Infinity", -math.inf),
        ("real", None, None),
        ("long", 2**53 + 1, 2**53 + 1),
        ("int", None, None),
        ("bool", True, True),
        ("string", "None", "None"),
        ("string", "", ""),
        ("dynamic", '{"a": [1]}', '{"a": [1]}'),
        ("datetime", "2026-03-04T05:06:07.1234567Z", datetime(2026, 3, 4, 5, 6, 7, 123456, UTC)),
        ("datetime", None, None),
        ("datetime", "", None),
        ("timespan", "1.02:03:04.5", "1.02:03:04.5"),
        ("timespan", None, None),
        ("guid", WORKSPACE, WORKSPACE),
        ("guid", None, None),
        ("decimal", "0.10", Decimal("0.10")),
        ("decimal", None, None),
    ],
)
def test_a_cell_becomes_what_its_column_says(kql_type: str, cell: object, expected: object) -> None:
    got = cells(ask(answer(200, table([("c", kql_type)], [[cell]]))))
    assert got == [expected]
    assert type(got[0]) is type(expected)


def test_an_average_of_nothing_is_not_a_number() -> None:
    (value,) = cells(ask(answer(200, table([("value", "real")], [["NaN"]]))))
    assert isinstance(value, float)
    assert math.isnan(value)


def test_a_datetime_knows_that_it_is_utc() -> None:
    (at,) = cells(ask(answer(200, table([("t", "datetime")], [["2026-03-04T05:06:07Z"]]))))
    assert isinstance(at, datetime)
    assert at.tzinfo is UTC


def test_columns_and_rows_keep_their_order_and_may_be_none() -> None:
    columns = [("value", "real"), ("Model", "string")]
    got = ask(answer(200, table(columns, [[2.5, "b"], [1.5, "a"]])))
    assert got == Table(("value", "Model"), ((2.5, "b"), (1.5, "a")))
    assert ask(answer(200, table(columns, []))) == Table(("value", "Model"), ())


PARTIAL = {"code": "PartialError", "message": "There were some errors"}


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(
            answer(200, table([("value", "real")], [[1]]) | {"error": PARTIAL}), id="partial"
        ),
        pytest.param(answer(200, {"error": PARTIAL}), id="partial-without-tables"),
        pytest.param(answer(200, {}), id="no-tables"),
        pytest.param(answer(200, {"tables": []}), id="empty-tables"),
        pytest.param(answer(200, [1]), id="a-list"),
        pytest.param(answer(200, table([("t", "datetime")], [["tomorrow"]])), id="bad-datetime"),
        pytest.param(answer(200, table([("a", "real"), ("b", "real")], [[1]])), id="short-row"),
        pytest.param(answer(200, table([("a", "real")], [[1, 2]])), id="long-row"),
        pytest.param(Reply(200, b"", JSON), id="empty-200"),
        pytest.param(Reply(200, b"<html>", {"Content-Type": "text/html"}), id="html"),
        pytest.param(Reply(204), id="204"),
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(502, b"<html>", {"Content-Type": "text/html"}), id="502-html"),
        pytest.param(answer(503, {"error": {"code": "x", "message": "y"}}), id="503"),
        pytest.param(answer(504, {"error": {"code": "GatewayTimeout"}}), id="504"),
        pytest.param("hang up", id="dropped"),
    ],
)
def test_whatever_is_no_whole_answer_is_to_be_asked_again(behaviour: Behaviour) -> None:
    with loopback(lambda request: behaviour) as server, pytest.raises(RetryLater):
        log(server).query(KQL, START, END)
    assert len(server.received) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": {"code": "Throttled"}}'])
def test_throttling_keeps_what_the_service_asks_for_and_never_sleeps_here(body: bytes) -> None:
    with pytest.raises(RetryLater) as caught:
        ask(Reply(429, body, {"Retry-After": "60", **JSON}))
    assert caught.value.retry_after_s == 60


def test_a_service_that_is_not_there_is_to_be_asked_again() -> None:
    with absent() as gone, pytest.raises(RetryLater, match="could not be reached"):
        log(gone).query(KQL, START, END)


def test_an_answer_that_never_comes_is_not_waited_for_forever() -> None:
    with loopback(lambda request: "silence") as server:
        log = LogAnalytics(server.url, WORKSPACE, server_timeout_s=0, patience_s=0.3)
        with pytest.raises(RetryLater, match="did not answer"):
            log.query(KQL, START, END)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        pytest.param(
            fault(400, "SEM0100", "Failed to resolve table 'UsageEvent'", line=1, pos=0),
            "Failed to resolve table 'UsageEvent' (line 1, position 0)",
            id="innermost-with-its-place",
        ),
        pytest.param(
            fault(400, "SEM0001", "Arithmetic expression cannot be carried-out"),
            "Arithmetic expression cannot be carried-out",
            id="innermost-without-a-place",
        ),
        pytest.param(
            answer(400, {"error": {"code": "BadArgumentError", "message": "No query"}}),
            "No query",
            id="no-inner-error",
        ),
        pytest.param(Reply(400, b"nope"), "Run the query in the portal", id="no-json"),
    ],
)
def test_a_wrong_query_is_given_up_in_the_services_own_words(reply: Reply, message: str) -> None:
    with pytest.raises(GiveUp) as caught:
        ask(reply)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "Log Analytics Reader"), (403, "Log Analytics Reader"), (404, "LOGS_WORKSPACE_ID")],
)
def test_a_closed_door_names_what_opens_it(status: int, remedy: str) -> None:
    for body in (b"", b'{"error": {"code": "x", "message": "y"}}'):
        with pytest.raises(Misconfigured, match=remedy):
            ask(Reply(status, body, JSON))


@pytest.mark.parametrize(
    "endpoint", ["http://logs.example", "http://10.0.0.1:80", "http://127.0.0.1.example"]
)
def test_plain_http_to_another_machine_is_refused(endpoint: str) -> None:
    with pytest.raises(Misconfigured, match="LOGS_ENDPOINT"):
        LogAnalytics(endpoint, WORKSPACE)


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1", "https://a.example"]
)
def test_plain_http_to_this_machine_and_https_to_any_are_fine(endpoint: str) -> None:
    assert LogAnalytics(endpoint, WORKSPACE)


def test_an_endpoint_may_end_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, object]] = []

    def client(credential: object, **given: object) -> None:
        made.append(given)

    monkeypatch.setattr("shared.adapters.azure.log_analytics.LogsQueryClient", client)
    LogAnalytics("https://api.loganalytics.us/v1", WORKSPACE)
    assert made[0]["audience"] == made[0]["endpoint"] == "https://api.loganalytics.us"


def test_nothing_of_query_or_answer_is_logged_or_left_in_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for reply in (ONE, Reply(401), Reply(429), answer(503, {"error": {"message": "secret-1"}})):
        try:
            ask(reply)
        except (RetryLater, Misconfigured) as exc:
            shown = "".join(traceback.format_exception(exc))
            assert "secret-1" not in shown
            assert "Bearer" not in shown
    assert caplog.records == []


def test_four_threads_that_ask_at_once_get_their_own_answers() -> None:
    meet = threading.Barrier(4)

    def echo(request: Request) -> Reply:
        meet.wait(5)
        return answer(200, table([("q", "string")], [[request.json()["query"]]]))

    with loopback(echo) as server, ThreadPoolExecutor(4) as pool:
        shared = log(server)
        asked = [f"print q = {i}" for i in range(4)]
        waiting = [pool.submit(shared.query, kql, START, END) for kql in asked]
        assert [cells(one.result()) for one in waiting] == [[kql] for kql in asked]


def cells(got: Table) -> list[object]:
    """Return the cells of the only row."""
    (row,) = got.rows
    return list(row)
