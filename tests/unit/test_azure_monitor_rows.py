"""What a row becomes on its way into AppEvents and AppMetrics, and which rows may not go."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from shared.adapters.azure.azure_monitor_limits import (
    ENVELOPE_BYTES,
    TEXT_MAX_CHARS,
    event_bytes,
    metric_bytes,
)
from shared.rows import EventRow, ExportOutcome, ExportRefused, MetricRow
from tests.breeze import AT, KEY, PROMPT, accept, event, exporter, metric, said
from tests.loopback import loopback

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_an_event_arrives_whole_under_short_names_and_with_nothing_added() -> None:
    text = {"id": "e-1", "model": "gpt-4o", "note": 'naïve \U0001f600 \n "quoted"', "empty": ""}
    numbers = {"cost_usd": 0.1 + 0.2, "input_tokens": 2**53, "count": 1, "amount_usd": -1e-9}
    envelope = event_envelope(EventRow("llm.call", AT, text, numbers, TRACE, SPAN))
    assert envelope["data"]["baseType"] == "EventData"
    data = envelope["data"]["baseData"]
    assert (data["name"], data["properties"]) == ("llm.call", text)
    assert data["measurements"] == {"usd": 0.1 + 0.2, "in": 2**53, "amount": -1e-9}
    assert envelope["iKey"] == KEY
    assert envelope["tags"] == {
        "ai.operation.id": TRACE,
        "ai.operation.parentId": SPAN,
        "ai.cloud.role": "agentmeter",
    }


def test_a_count_other_than_one_is_said() -> None:
    envelope = event_envelope(EventRow("llm.call", AT, {}, {"count": 2}))
    assert envelope["data"]["baseData"]["measurements"] == {"count": 2}


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ("openai/gpt-4o; list price", "list price"),
        ("openai/gpt-4o-2024-08-06; list price", "openai/gpt-4o-2024-08-06; list price"),
    ],
)
def test_a_price_names_its_model_only_where_it_is_another(source: str, stored: str) -> None:
    text = {"provider": "openai", "model": "gpt-4o", "cost_source": source}
    envelope = event_envelope(EventRow("llm.call", AT, text, {}))
    assert envelope["data"]["baseData"]["properties"]["price"] == stored


def test_an_event_without_a_trace_takes_no_ids_of_the_invocation_that_sends_it() -> None:
    with TracerProvider().get_tracer("host").start_as_current_span("invocation"):
        envelope = event_envelope(event())
    assert envelope["tags"] == {"ai.cloud.role": "agentmeter"}


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), id="whole-second"),
        pytest.param(datetime(2026, 3, 4, 5, 6, 7, 1, tzinfo=UTC), id="one-microsecond"),
        pytest.param(datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), id="end-of-year"),
        pytest.param(
            datetime(2026, 3, 4, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))), id="zone"
        ),
    ],
)
def test_times_keep_their_microseconds(at: datetime) -> None:
    of_event = event_envelope(replace(event(), time=at))["time"]
    of_metric = metric_envelope(replace(metric(), time=at))["time"]
    assert datetime.fromisoformat(of_event) == datetime.fromisoformat(of_metric) == at


def test_a_counter_is_one_value_of_its_minute_with_its_labels() -> None:
    row = MetricRow("llm_tokens_used_total", AT, (("model", "gpt-4o"), ("type", "input")), 1234.5)
    envelope = metric_envelope(row)
    assert envelope["data"]["baseType"] == "MetricData"
    data = envelope["data"]["baseData"]
    assert data["metrics"] == [{"name": "llm_tokens_used_total", "value": 1234.5, "count": 1}]
    assert data["properties"] == {"model": "gpt-4o", "type": "input"}


def test_a_histogram_has_its_count_and_its_extremes() -> None:
    row = MetricRow("llm_api_duration_seconds", AT, (), 6.5, count=3, low=0.0, high=5.25)
    assert metric_envelope(row)["data"]["baseData"]["metrics"] == [
        {"name": row.name, "value": 6.5, "count": 3, "min": 0.0, "max": 5.25}
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param({"m": "x" * (TEXT_MAX_CHARS + 1)}, "m has 8193 characters", id="long-text"),
        pytest.param({"k" * 151: "x"}, "Rename it", id="long-name"),
        pytest.param({"": "x"}, "Rename it", id="no-name"),
        pytest.param({"exception.type": "x"}, "Rename it", id="name-that-moves-the-row"),
        pytest.param({"enduser.id": "x"}, "Rename it", id="name-that-becomes-a-tag"),
        pytest.param(
            {f"k{i}": "\x01" * TEXT_MAX_CHARS for i in range(2)}, "65,536", id="large-once-escaped"
        ),
    ],
)
def test_an_event_whose_text_would_be_bent_is_refused_unsent(
    text: Mapping[str, str], says: str
) -> None:
    assert_refused_alone(event(text=text), says)


@pytest.mark.parametrize(
    "number",
    [float("nan"), float("inf"), float("-inf"), 2**53 + 1, 10**400, True],
    ids=["nan", "inf", "-inf", "2^53+1", "10^400", "bool"],
)
def test_a_number_that_would_be_bent_is_refused_unsent(number: float) -> None:
    assert_refused_alone(event(number), "number is no finite number")
    assert_metric_refused_alone(metric(number), "total is no finite number")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"name": ""}, "event name", id="no-name"),
        pytest.param({"name": "x" * 513}, "event name", id="long-name"),
        pytest.param({"operation_id": "not hex"}, "traceparent", id="operation-id"),
        pytest.param({"parent_id": "1234"}, "traceparent", id="parent-id"),
    ],
)
def test_an_event_whose_name_or_trace_would_be_bent_is_refused_unsent(
    change: dict[str, Any], says: str
) -> None:
    assert_refused_alone(replace(event(), **change), says)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"name": "http.server.request.duration"}, "Rename", id="rewritten-name"),
        pytest.param({"count": 2}, "low and high", id="count-of-a-counter"),
        pytest.param({"low": 1.0}, "low and high", id="low-alone"),
        pytest.param({"count": 0, "low": 0.0, "high": 1.0}, "0 observations", id="none"),
        pytest.param({"count": 2**31, "low": 0.0, "high": 1.0}, "observations", id="over-int"),
        pytest.param({"low": float("nan"), "high": 1.0}, "low is no finite", id="nan"),
        pytest.param({"labels": (("model", "x" * 8193),)}, "8193 characters", id="long-label"),
    ],
)
def test_a_metric_that_would_be_bent_is_refused_unsent(change: dict[str, Any], says: str) -> None:
    assert_metric_refused_alone(replace(metric(), **change), says)


def test_the_size_that_is_reckoned_is_never_less_than_what_is_sent() -> None:
    wide = {"message": '\U0001f600\n"' * 2000, "path": "/é" * 500}
    rows = [event(), event(0.1 + 0.2, wide)]
    points = [metric(), replace(metric(1e-300), count=10**9, low=0.1 + 0.2, high=1e300)]
    for row in rows:
        sent = len(json.dumps(event_envelope(row)))
        assert sent <= event_bytes(row) < sent + ENVELOPE_BYTES
    for point in points:
        sent = len(json.dumps(metric_envelope(point)))
        assert sent <= metric_bytes(point) < sent + ENVELOPE_BYTES


def event_envelope(row: EventRow) -> Any:
    with loopback(accept) as server:
        assert said(exporter(server).events([row])) == ["exported"]
    return server.received[0].json()[0]


def metric_envelope(row: MetricRow) -> Any:
    with loopback(accept) as server:
        assert said(exporter(server).metrics([row])) == ["exported"]
    return server.received[0].json()[0]


def assert_refused_alone(row: EventRow, says: str) -> None:
    """Its neighbours go out; it does not, and the refusal quotes nothing of it."""
    with loopback(accept) as server:
        sent = exporter(server).events([event(), row, event()])
    assert_middle_refused(sent, says)
    assert len(server.received[0].json()) == 2


def assert_metric_refused_alone(row: MetricRow, says: str) -> None:
    with loopback(accept) as server:
        sent = exporter(server).metrics([metric(), row, metric()])
    assert_middle_refused(sent, says)
    assert len(server.received[0].json()) == 2


def assert_middle_refused(sent: Sequence[ExportOutcome], says: str) -> None:
    before, refused, after = sent
    assert said([before, after]) == ["exported", "exported"]
    assert isinstance(refused, ExportRefused)
    assert refused.status == 0
    assert says in refused.why
    assert PROMPT not in refused.why
