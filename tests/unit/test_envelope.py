from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.events.envelope import judge
from shared.events.types import LlmCall, Revenue
from tests.factories import CALL, DATA, event, without

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("kind", DATA)
def test_every_kind_is_accepted_as_documented(kind: str) -> None:
    events, refused = judge([event(kind)], NOW)
    assert [e.type for e in events] == [kind]
    assert refused == []


def test_an_event_without_time_happened_when_it_was_received() -> None:
    events, _ = judge([without(event(), "time")], NOW)
    assert events[0].time == NOW


def test_money_keeps_every_digit() -> None:
    exact = "0.1234567890123456789"
    events, _ = judge([event("revenue", amount_usd=exact), event("llm.call", cost_usd=exact)], NOW)
    assert isinstance(events[0].data, Revenue)
    assert events[0].data.amount_usd == Decimal(exact)
    assert isinstance(events[1].data, LlmCall)
    assert events[1].data.cost_usd == Decimal(exact)


def test_extension_attributes_of_cloudevents_are_let_pass() -> None:
    extended = {**event(), "datacontenttype": "application/json", "partitionkey": "x"}
    assert judge([extended], NOW)[1] == []


def test_a_good_event_is_taken_although_its_neighbours_are_not() -> None:
    events, refused = judge([1, event(number=1), {**event(), "type": "no.such"}], NOW)
    assert [e.id for e in events] == ["llm.call-1"]
    assert [(r.index, r.id) for r in refused] == [(0, None), (2, "llm.call-0")]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(5, "Send an object", id="no-object"),
        pytest.param(without(event(), "id"), "id is missing. Add it", id="no-id"),
        pytest.param(without(event(), "type"), "type is missing", id="no-type"),
        pytest.param({**event(), "type": "llm.cal"}, "'llm.cal' is unknown. Send one of 'http.req"),
        pytest.param({**event(), "time": "2026-11-23"}, "no RFC 3339 time", id="date-only"),
        pytest.param({**event(), "time": "2026-11-23T12:00:00"}, "no RFC 3339 time", id="no-zone"),
        pytest.param({**event(), "time": 1700000000}, "no RFC 3339 time", id="epoch"),
        pytest.param({**event(), "time": "2026-13-23T12:00:00Z"}, "time:", id="month-13"),
        pytest.param(
            {**event(), "time": "0001-01-01T00:00:00+01:00"}, "years 1 to 9999", id="before-utc"
        ),
        pytest.param(
            {**event(), "time": "9999-12-31T23:59:59-00:01"}, "years 1 to 9999", id="after-utc"
        ),
        pytest.param(event(prompt="x"), "data.prompt is not a field", id="unknown-field"),
        pytest.param(event(count=0), "data.count: 0 is wrong", id="count-0"),
        pytest.param(event(duration_s=-1), "data.duration_s: -1 is wrong", id="negative"),
        pytest.param({**event(), "data": without(CALL, "model")}, "data.model is missing"),
        pytest.param({**event(), "data": 5}, "data is not an object", id="data-5"),
        pytest.param(
            event(usage={"input_tokens": 1, "cache_read_tokens": 2}),
            "more than input_tokens, 1",
            id="contradiction",
        ),
        pytest.param(event("revenue", amount_usd=-1), "data.amount_usd: -1", id="minus-money"),
        pytest.param(
            event("error", message="x" * 9000), "data.message is wrong", id="long-message"
        ),
        pytest.param(
            {**event(), "subject": "x" * 40_000}, "the limit is 32768. Shorten", id="huge"
        ),
    ],
)
def test_a_wrong_event_is_refused_by_field_and_remedy(given: object, says: str) -> None:
    events, refused = judge([given], NOW)
    assert events == []
    assert says in refused[0].error


def test_a_refusal_does_not_repeat_long_texts() -> None:
    _, refused = judge([event(status=["my secret prompt"])], NOW)
    assert "secret" not in refused[0].error
