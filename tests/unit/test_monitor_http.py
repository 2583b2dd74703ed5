"""The stand-in over HTTP: every status, header and body that a client may meet."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from local.server import serve
from standin.monitor.app import create_app
from standin.monitor.query import Limits
from standin.monitor.store import MonitorStore
from standin.monitor.wire import read_timespan
from tests.fakes import START, FakeClock
from tests.monitor import event, metric

QUERY = "/v1/workspaces/any/query"


class Client:
    """Talks to a stand-in of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._session.request(method, self._url + path, timeout=10, **more)

    def track(self, *items: dict[str, Any]) -> requests.Response:
        return self.send("POST", "/v2.1/track", json=list(items))

    def ask(self, kql: str, timespan: str | None = None, prefer: str = "") -> requests.Response:
        asked = {"query": kql, "timespan": timespan}
        return self.send("POST", QUERY, json=asked, headers={"Prefer": prefer})

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="module")
def client() -> Generator[Client]:
    store = MonitorStore(None, FakeClock(), Limits(rows=1000))
    server = serve(create_app(store))
    client = Client(server.url)
    client.track(*(event({"id": str(n)}, at=START - timedelta(minutes=n)) for n in range(5)))
    yield client
    client.close()
    server.stop()
    store.close()


def test_an_answer_is_a_table_of_typed_columns(client: Client) -> None:
    answer = client.ask(
        "UsageEvents | top 1 by TimeGenerated | project TimeGenerated, Count, Model"
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [
                    {"name": "TimeGenerated", "type": "datetime"},
                    {"name": "Count", "type": "long"},
                    {"name": "Model", "type": "string"},
                ],
                "rows": [["2026-11-23T12:30:00.0000000Z", 1, ""]],
            }
        ]
    }


def test_a_number_that_is_none_is_text_in_json(client: Client) -> None:
    (row,) = client.ask("print real(nan), 1.0 / 0, -1.0 / 0").json()["tables"][0]["rows"]
    assert row == ["NaN", "Infinity", "-Infinity"]


def test_get_asks_the_same(client: Client) -> None:
    answer = client.send("GET", QUERY, params={"query": "AppEvents | count", "timespan": "PT90S"})
    assert answer.json()["tables"][0]["rows"] == [[2]]


def test_statistics_and_rendering_come_when_asked_for(client: Client) -> None:
    kql = "AppEvents | count | render columnchart with (title = 'All events', kind=stacked)"
    body = client.ask(kql, prefer="include-statistics=true, include-render=true, wait=20").json()
    assert body["render"] == {
        "visualization": "columnchart",
        "title": "All events",
        "kind": "stacked",
    }
    assert body["statistics"]["query"]["executionTime"] > 0
    assert client.ask("print 1", prefer="include-render=true").json()["render"] == {}
    assert client.ask(kql).json().keys() == {"tables"}


def test_a_wrong_query_is_a_400_that_says_where(client: Client) -> None:
    answer = client.ask("AppEvents | wherex")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == (
        "BadArgumentError",
        "The request had some invalid properties",
    )
    inner = error["innererror"]
    assert (inner["code"], inner["line"], inner["pos"]) == ("SyntaxError", 1, 11)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"{}", b'{"query": 1}', b'{"query": " "}',
             b'{"query": "print 1", "timespan": 5}', b'{"query": "print 1", "timespan": "1h"}'],
)  # fmt: skip
def test_a_request_without_a_query_is_a_400(client: Client, body: bytes) -> None:
    answer = client.send("POST", QUERY, data=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadArgumentError")


def test_a_query_that_takes_longer_than_its_caller_waits_is_a_504(client: Client) -> None:
    endless = "range x from 1 to 100000 step 1 | extend k = 1"
    kql = f"{endless} | join kind=inner ({endless}) on k | summarize sum(x * x1)"
    answer = client.ask(kql, prefer="wait=0")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "GatewayTimeout")


def test_too_many_rows_are_a_200_with_an_error(client: Client) -> None:
    body = client.ask("range x from 1 to 1001 step 1").json()
    assert len(body["tables"][0]["rows"]) == 1000
    assert body["error"]["code"] == "PartialError"
    assert body["error"]["details"][0]["code"] == "QueryExecutionError"


def test_an_unknown_path_is_the_services_404(client: Client) -> None:
    answer = client.send("GET", "/v1/nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "PathNotFoundError")
    assert client.send("GET", "/v2.1/track").status_code == 405


def test_no_one_watches_live_metrics(client: Client) -> None:
    answer = client.send("POST", "/QuickPulseService.svc/ping", params={"ikey": "x"})
    assert (answer.status_code, answer.headers["x-ms-qps-subscribed"]) == (200, "false")


def test_both_versions_of_ingestion_answer_for_each_item(client: Client) -> None:
    for path in ("/v2/track", "/v2.1/track"):
        answer = client.send("POST", path, json=[metric(1), {}])
        assert answer.status_code == 206
        assert [e["index"] for e in answer.json()["errors"]] == [1]
    answer = client.send("POST", "/v2.1/track", data=b"no json")
    assert (answer.status_code, answer.json()["itemsAccepted"]) == (400, 0)
    assert client.track().status_code == 400


def test_a_switched_fault_comes_as_often_as_it_was_asked_for(client: Client) -> None:
    fault = {"status": 503, "retry_after": 7, "times": 2}
    assert client.send("POST", "/faults", json={"track": fault}).status_code == 204
    for _ in range(2):
        answer = client.track(metric(1))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
        assert answer.json()["itemsAccepted"] == 0
    assert client.track(metric(1)).status_code == 200
    client.send("POST", "/faults", json={"query": {"status": 429}})
    answer = client.ask("print 1")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)
    assert client.ask("print 1").status_code == 200


def test_a_switched_fault_can_be_taken_back(client: Client) -> None:
    client.send("POST", "/faults", json={"query": {"status": 500, "times": 99}})
    assert client.ask("print 1").status_code == 500
    client.send("POST", "/faults", json={})
    assert client.ask("print 1").status_code == 200
    assert client.send("POST", "/faults", json={"pager": {}}).status_code == 400


NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
FIRST = datetime(2026, 11, 23, 1, tzinfo=UTC)
SECOND = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        (None, None, None),
        ("", None, None),
        ("PT3600.0S", NOW - timedelta(hours=1), None),
        ("P1DT2H3M", NOW - timedelta(days=1, hours=2, minutes=3), None),
        ("P2W", NOW - timedelta(weeks=2), None),
        ("2026-11-23T01:00:00Z/2026-11-23T02:00:00Z", FIRST, SECOND),
        ("2026-11-23T01:00:00/2026-11-23T04:00:00+02:00", FIRST, SECOND),
        ("2026-11-23T01:00:00.000000Z/PT3600.0S", FIRST, SECOND),
        ("PT1H / 2026-11-23T02:00:00Z", FIRST, SECOND),
    ],
)
def test_a_timespan_is_iso_8601(
    text: str | None, start: datetime | None, end: datetime | None
) -> None:
    span = read_timespan(text, NOW)
    assert (span.start, span.end) == (start, end)


@pytest.mark.parametrize("text", ["1h", "P", "PT", "P1", "PT1H/", "a/b", "P99999999999D", "/PT1H"])
def test_what_is_no_timespan_is_refused(client: Client, text: str) -> None:
    answer = client.ask("print 1", timespan=text)
    assert answer.json()["error"]["innererror"]["code"] == "InvalidTimespan"
