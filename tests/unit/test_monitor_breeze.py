"""The stand-in's ingestion: what it takes, what it refuses, and the rows that come of it."""

import gzip
import json
import zlib
from datetime import timedelta
from typing import Any

import pytest

from standin.monitor.breeze import UnreadableBody, read_body, sizes_of
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.monitor import envelope, event, metric

HIDDEN_ADDRESS = "0.0.0.0"  # noqa: S104 - what the service shows for an address; none is bound


@pytest.fixture
def store() -> MonitorStore:
    return MonitorStore(None, FakeClock())


def row(store: MonitorStore, table: str, *columns: str) -> tuple[object, ...]:
    """Return those columns of the table's only row."""
    (only,) = store.query(f"{table} | project {', '.join(columns)}").rows
    return only


def refusal(store: MonitorStore, item: object) -> str:
    answer = store.track([item])
    assert (answer.status, answer.body()["itemsAccepted"]) == (400, 0)
    return answer.errors[0].message


def test_an_event_keeps_its_properties_measurements_and_tags(store: MonitorStore) -> None:
    item = event({"model": "gpt-4"}, {"cost_usd": 0.25}) | {
        "tags": {
            "ai.operation.id": "0123456789abcdef0123456789abcdef",
            "ai.operation.parentId": "0000000000000000",
            "ai.cloud.role": "agentmeter",
            "ai.internal.sdkVersion": "py3.11",
        }
    }
    assert store.track([item]).status == 200
    assert row(
        store, "AppEvents", "TimeGenerated", "Name", "Properties", "Measurements", "OperationId",
        "ParentId", "AppRoleName", "SDKVersion", "ItemCount", "ClientIP", "Type", "UserId",
    ) == (
        START, "llm.call", '{"model":"gpt-4"}', '{"cost_usd":0.25}',
        "0123456789abcdef0123456789abcdef", "", "agentmeter", "py3.11", 1, HIDDEN_ADDRESS,
        "AppEvents", "",
    )  # fmt: skip


def test_properties_are_text_whatever_was_sent(store: MonitorStore) -> None:
    store.track([event({"a": True, "b": 1.5, "c": [1], "d": None, "e": "é"})])
    assert row(store, "AppEvents", "Properties") == ('{"a":"true","b":"1.5","c":"[1]","e":"é"}',)


def test_a_sampled_event_stands_for_many(store: MonitorStore) -> None:
    store.track([event() | {"sampleRate": 25.0}])
    assert row(store, "AppEvents", "ItemCount") == (4,)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, (5.0, 5.0, 5.0, 1), id="one value"),
        pytest.param({"count": 3, "min": 1, "max": 2.5}, (5.0, 1.0, 2.5, 3), id="histogram"),
        pytest.param({"count": 3}, (5.0, None, None, 3), id="several without bounds"),
    ],
)
def test_a_metric_is_a_row_of_its_sum(
    store: MonitorStore, given: dict[str, Any], expected: tuple[object, ...]
) -> None:
    store.track([metric(5, **given)])
    assert row(store, "AppMetrics", "Sum", "Min", "Max", "ItemCount") == expected


def test_requests_and_dependencies_keep_their_duration_and_outcome(store: MonitorStore) -> None:
    call = {"id": "7", "name": "GET /", "duration": "1.00:00:01.500", "success": False}
    store.track(
        [
            envelope("RequestData", {**call, "responseCode": "500", "url": "/x"}),
            envelope("RemoteDependencyData", {**call, "resultCode": "500", "type": "GenAI | x"}),
        ]
    )
    columns = ("Id", "DurationMs", "Success", "ResultCode")
    assert row(store, "AppRequests", *columns, "Url") == ("7", 86_401_500.0, False, "500", "/x")
    assert row(store, "AppDependencies", *columns, "DependencyType") == (
        "7", 86_401_500.0, False, "500", "GenAI | x",
    )  # fmt: skip


def test_traces_and_exceptions_keep_their_severity(store: MonitorStore) -> None:
    chain = [{"typeName": "Outer", "message": "o"}, {"typeName": "Inner", "message": "i"}]
    store.track(
        [
            envelope("MessageData", {"message": "hello", "severityLevel": "Warning"}),
            envelope("ExceptionData", {"exceptions": chain, "severityLevel": 3}),
        ]
    )
    assert row(store, "AppTraces", "Message", "SeverityLevel") == ("hello", 2)
    assert row(
        store, "AppExceptions", "ExceptionType", "InnermostType", "ProblemId", "SeverityLevel"
    ) == ("Outer", "Inner", "Outer", 3)


def test_an_unknown_kind_of_telemetry_is_accepted_and_leaves_no_row(store: MonitorStore) -> None:
    assert store.track([envelope("NovelData", {})]).status == 200
    assert store.query("union App* | count").rows == ((0,),)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        pytest.param(
            event(at=START - timedelta(hours=48, seconds=1)),
            "103: Field 'time' on type 'Envelope' is older than the allowed min date. "
            "Expected: now - 172800000ms",
            id="too old",
        ),
        pytest.param(
            event(at=START + timedelta(hours=2, seconds=1)),
            "104: Field 'time' on type 'Envelope' is newer than the max date. "
            "Expected: now + 7200000ms",
            id="too new",
        ),
        pytest.param(
            event() | {"iKey": ""},
            "109: Field 'iKey' on type 'Envelope' is required but missing or empty",
            id="no key",
        ),
        pytest.param(metric(float("inf")), "Field 'value' is not a finite number", id="infinite"),
        pytest.param(event({}, {"n": float("nan")}), "Field 'n' is not a finite", id="NaN"),
        pytest.param(event({}, {"n": 10**400}), "Field 'n' is not a finite", id="beyond a double"),
        pytest.param(event({}, {"n": "7"}), "Field 'n' is not a finite number", id="text"),
        pytest.param(event() | {"time": "soon"}, "not a valid date", id="no date"),
        pytest.param(event() | {"data": [1]}, "'data' is not a JSON object", id="data is a list"),
        pytest.param(event() | {"tags": "x"}, "'tags' is not a JSON object", id="tags are text"),
        pytest.param(7, "an envelope is a JSON object", id="a number"),
    ],
)
def test_a_bad_item_is_refused_in_the_services_words(
    store: MonitorStore, item: object, words: str
) -> None:
    assert words in refusal(store, item)


@pytest.mark.parametrize("hours", [-48, 2])
def test_the_oldest_and_the_newest_time_are_taken(store: MonitorStore, hours: int) -> None:
    assert store.track([event(at=START + timedelta(hours=hours))]).status == 200


def test_a_bad_item_does_not_stop_its_neighbours(store: MonitorStore) -> None:
    answer = store.track([event(), metric(float("nan")), event()])
    assert answer.status == 206
    assert answer.body() == {
        "itemsReceived": 3,
        "itemsAccepted": 2,
        "appId": None,
        "errors": [
            {"index": 1, "statusCode": 400, "message": "Field 'value' is not a finite number"}
        ],
    }
    assert store.query("AppEvents | count").rows == ((2,),)


def test_an_item_over_64_kib_is_refused_and_only_that_one(store: MonitorStore) -> None:
    items = [event({"long": "é" * 33_000}), event()]
    body = json.dumps(items).encode()
    answer = store.track(items, sizes_of(items, len(body)))
    assert [(e.index, e.message) for e in answer.errors] == [
        (0, "Telemetry item length must not exceed 65536")
    ]


@pytest.mark.parametrize(
    ("pack", "encoding"),
    [
        pytest.param(bytes, "", id="plain"),
        pytest.param(gzip.compress, "gzip", id="gzip"),
        pytest.param(zlib.compress, "deflate", id="deflate"),
    ],
)
@pytest.mark.parametrize(
    "text", ['[{"a":1},{"b":2}]', '{"a":1}\n{"b":2}\n', '  [{"a":1},\n{"b":2}]']
)
def test_a_body_is_an_array_or_lines_packed_or_not(pack: Any, encoding: str, text: str) -> None:
    assert read_body(pack(text.encode()), encoding) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(b"[{]", "", id="no JSON"),
        pytest.param(b'[{"value": NaN}]', "", id="NaN is no JSON"),
        pytest.param(b"[]", "gzip", id="not gzip"),
        pytest.param(b"[]", "deflate", id="not deflate"),
        pytest.param(b"[]", "br", id="brotli"),
        pytest.param(b"\xff", "", id="no text"),
        pytest.param(b"[" * 100_000, "", id="too deep"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(body: bytes, encoding: str) -> None:
    with pytest.raises(UnreadableBody):
        read_body(body, encoding)


def test_half_a_surrogate_pair_does_not_stop_its_neighbours(store: MonitorStore) -> None:
    items = [event({"text": "\ud83d"}), event({"text": "\U0001f600"})]
    store.track(read_body(json.dumps(items).encode(), ""))
    texts = store.query("AppEvents | project Text = tostring(Properties.text)").rows
    assert sorted(texts) == [("?",), ("\U0001f600",)]
