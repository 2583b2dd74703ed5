"""Whatever bytes come in: spans, reasons, or an InvalidEvent, and never anything else."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.otlp.traces import read_traces
from shared.errors import InvalidEvent
from shared.events.message import decode, pack_parcels
from shared.events.otlp.media import JSON, PROTOBUF, Media
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Span
from tests.fakes import START
from tests.spans import CHAT, span, wire

WHOLE = wire([span(CHAT, 1), span(CHAT, 2, 1)]).SerializeToString()
NAMES = st.sampled_from(
    [
        *("resourceSpans", "resource", "scopeSpans", "scope", "spans", "name", "kind", "status"),
        *("traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "code"),
        *("attributes", "key", "value", "stringValue", "intValue", "doubleValue", "arrayValue"),
        *("values", "kvlistValue", "events", "gen_ai.operation.name"),
    ]
)
ODD: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "chat",
    "NaN",
    "ab" * 16,
    "cd" * 8,
    "\ud800",
    "1" * 30,
    [],
    {},
]
LEAVES: st.SearchStrategy[Any] = st.sampled_from(ODD)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=30,
)


def take(body: bytes, media: Media) -> None:
    """Do all that the trigger and the processor do with a body."""
    try:
        found = read_traces(body, media)
    except InvalidEvent:
        return
    reading = read_spans([one for one in found if isinstance(one, Span)], START, 100)
    for text in pack_parcels(reading.parcels, START):
        decode(text)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    take(body, PROTOBUF)
    take(body, JSON)


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_request_with_a_wrong_byte(place: int, value: int) -> None:
    take(WHOLE[:place] + bytes([value]) + WHOLE[place + 1 :], PROTOBUF)


@given(VALUES)
def test_any_json_of_otlps_names(value: object) -> None:
    take(json.dumps({"resourceSpans": value}).encode(), JSON)
    take(
        json.dumps(one_span({"traceId": "ab" * 16, "spanId": "cd" * 8, "x": value})).encode(), JSON
    )


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_fields_of_a_span(fields: dict[str, object]) -> None:
    ids = {"traceId": "ab" * 16, "spanId": "cd" * 8}
    take(json.dumps(one_span(fields | ids)).encode(), JSON)


@given(st.dictionaries(st.sampled_from(sorted(CHAT)), LEAVES))
def test_any_values_of_attributes(values: dict[str, object]) -> None:
    kinds: dict[type, str] = {
        str: "stringValue",
        bool: "boolValue",
        int: "intValue",
        float: "doubleValue",
    }
    attributes = [
        {"key": key, "value": {kinds[type(value)]: value}}
        for key, value in values.items()
        if type(value) in kinds
    ]
    ids = {"traceId": "ab" * 16, "spanId": "cd" * 8}
    take(json.dumps(one_span({"attributes": attributes, **ids})).encode(), JSON)


def one_span(fields: dict[str, object]) -> dict[str, object]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}


def test_values_of_every_type_are_read() -> None:
    values: list[dict[str, Any]] = [
        {
            "key": "list",
            "value": {"arrayValue": {"values": [{"intValue": "1"}, {"boolValue": True}]}},
        },
        {
            "key": "map",
            "value": {"kvlistValue": {"values": [{"key": "a", "value": {"doubleValue": 1.5}}]}},
        },
        {"key": "int", "value": {"intValue": "9007199254740993"}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "bytes", "value": {"bytesValue": "AAAA"}},
        {"key": "none", "value": {}},
    ]
    ids = {"traceId": "AB" * 16, "spanId": "cd" * 8, "parentSpanId": ""}
    (found,) = read_traces(json.dumps(one_span({"attributes": values, **ids})).encode(), JSON)
    assert isinstance(found, Span)
    assert (found.trace_id, found.parent_id) == ("ab" * 16, "")
    assert found.attributes == {"list": "[1, true]", "map": '{"a": 1.5}', "int": 9007199254740993}


def test_an_exception_says_what_the_status_does_not() -> None:
    request = wire([span(CHAT, failed=True)])
    failed = request.resource_spans[0].scope_spans[0].spans[0]
    for key, value in {"exception.type": "ValueError", "exception.message": "no"}.items():
        if not failed.events:
            failed.events.add(name="exception")
        failed.events[0].attributes.add(key=key).value.string_value = value
    (found,) = read_traces(request.SerializeToString(), PROTOBUF)
    assert isinstance(found, Span)
    assert (found.failed, found.exception, found.message) == (True, "ValueError", "no")


def test_a_request_in_two_pieces_one_after_the_other_is_both() -> None:
    pieces = [wire([span(CHAT, n)]).SerializeToString() for n in (1, 2)]
    assert len(read_traces(b"".join(pieces), PROTOBUF)) == 2


def test_spans_share_their_own_resource_alone() -> None:
    sent = [span(CHAT, 1), span(CHAT, 2), span(CHAT, 3, resource={"service.name": "1"})]
    found = read_traces(wire(sent).SerializeToString(), PROTOBUF)
    first, second, other = (one.resource for one in found if isinstance(one, Span))
    assert first is second
    assert other == {"service.name": "1"}
