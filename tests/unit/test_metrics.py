from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.events.envelope import judge
from shared.events.types import AnyEvent
from shared.metrics.catalogue import BUCKETS, FLEET, METRICS
from shared.metrics.derive import bounded, derive, label_values
from shared.metrics.own import CAPPED
from shared.metrics.points import Counted, Observed, Point, Sampled, SeriesState
from shared.metrics.prometheus import TEXT, exposition
from shared.metrics.tally import tally
from shared.pricing.cost import Cost
from tests.factories import DATA, event

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
KNOWN = Cost(Decimal("0.036"), "known", "list")
UNKNOWN = Cost(None, "unknown", "no price")


def parsed(**given: Any) -> AnyEvent:
    events, refused = judge([event(**given)], NOW)
    assert refused == []
    return events[0]


def points(*events: AnyEvent, cost: Cost | None = None) -> list[Point]:
    measures = [measure for e in events for measure in derive(e, cost, NOW)]
    return tally(bounded(measures, label_values(measures)))


def test_the_plan_has_twenty_two_metrics_and_every_kind_of_event_feeds_one() -> None:
    assert len(FLEET) == 22
    fed = {
        name for kind in DATA for name in [p.metric for p in points(parsed(type_=kind), cost=KNOWN)]
    }
    assert {metric.name for metric in FLEET} <= fed


def test_histograms_alone_have_buckets_and_they_ascend() -> None:
    for metric in METRICS.values():
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert list(metric.buckets) == sorted(metric.buckets)
    assert set(BUCKETS) == {m.name for m in FLEET if m.kind == "histogram"}


def test_no_label_is_called_like_a_metric_for_they_share_a_book() -> None:
    assert not METRICS.keys() & {label for metric in METRICS.values() for label in metric.labels}


def test_an_event_that_stands_for_many_counts_as_many() -> None:
    made = points(parsed(type_="http.request", count=30, duration_s=0.2))
    labels = (("method", "GET"), ("path", "/api/teams"), ("status", "200"))
    assert Counted("http_requests_total", labels, Decimal(30)) in made
    (spread,) = [p for p in made if isinstance(p, Observed)]
    assert (spread.count, spread.total) == (30, pytest.approx(6))
    assert spread.buckets[BUCKETS[spread.metric].index(0.25)] == 30


def test_a_bucket_includes_its_bound() -> None:
    (spread,) = [p for p in points(parsed(duration_s=2.0)) if isinstance(p, Observed)]
    assert spread.buckets == (0, 0, 1, 0, 0, 0, 0, 0, 0)


def test_totals_of_tokens_come_with_those_parts_that_occur() -> None:
    usage = {"input_tokens": 100, "output_tokens": 0, "cache_read_tokens": 60}
    made = [p for p in points(parsed(usage=usage)) if p.metric == "llm_tokens_used_total"]
    amounts = {dict(p.labels)["token_type"]: p.amount for p in made if isinstance(p, Counted)}
    assert amounts == {"input": 100, "output": 0, "cache_read": 60}


def test_an_unknown_price_adds_no_cost_but_is_counted() -> None:
    made = {p.metric: p for p in points(parsed(), cost=UNKNOWN)}
    assert "llm_cost_usd_total" not in made
    assert dict(made["agentmeter_priced_calls_total"].labels)["cost_status"] == "unknown"


def test_a_gauge_is_the_latest_sample_of_each_source() -> None:
    early = parsed(type_="task.queue", value=9, number=1)
    late = early.model_copy(update={"time": early.time + timedelta(seconds=5)})
    late = late.model_copy(update={"data": late.data.model_copy(update={"value": 4.0})})
    (sample,) = points(late, early)
    assert isinstance(sample, Sampled)
    assert sample.value == 4.0


def test_a_value_that_is_not_admitted_becomes_other_and_is_counted() -> None:
    measures = list(derive(parsed(type_="error", component="x"), None, NOW))
    admitted = {"component": set[str](), "error_type": {"Timeout"}}
    made = tally(bounded(measures, admitted))
    labels = (("component", "other"), ("error_type", "Timeout"))
    assert Counted("errors_total", labels, Decimal(1)) in made
    assert Counted(CAPPED.name, (("label", "component"),), Decimal(1)) in made


def test_a_label_value_is_cut_at_128_characters() -> None:
    measures = list(derive(parsed(type_="error", component="x" * 300), None, NOW))
    assert label_values(measures)["component"].keys() == {"x" * 128}


def test_exposition_is_prometheus_text() -> None:
    call = (("provider", "openai"), ("model", 'g"p\\t\n4'))
    queue = (("priority", "high"),)
    state = SeriesState(
        counters={("llm_cost_usd_total", call): Decimal("0.036")},
        histograms={("llm_api_duration_seconds", call): (3, 4.5, (1, 1, 0, 0, 0, 0, 0, 0, 1))},
        gauges={
            ("task_queue_size", queue, "a"): (NOW, 40.0),
            ("task_queue_size", queue, "b"): (NOW - timedelta(minutes=5), 2.0),
            ("task_queue_size", queue, "c"): (NOW - timedelta(minutes=6), 1000.0),
        },
    )
    lines = exposition(state, NOW, TEXT).splitlines()
    escaped = r'provider="openai",model="g\"p\\t\n4"'
    assert f"llm_cost_usd_total{{{escaped}}} 0.036" in lines
    assert f'llm_api_duration_seconds_bucket{{{escaped},le="0.5"}} 1' in lines
    assert f'llm_api_duration_seconds_bucket{{{escaped},le="60.0"}} 2' in lines
    assert f'llm_api_duration_seconds_bucket{{{escaped},le="+Inf"}} 3' in lines
    assert f"llm_api_duration_seconds_sum{{{escaped}}} 4.5" in lines
    assert f"llm_api_duration_seconds_count{{{escaped}}} 3" in lines
    assert 'task_queue_size{priority="high"} 42' in lines
    assert lines.count("# TYPE task_queue_size gauge") == 1
    assert all(f"# HELP {name} {metric.help}" in lines for name, metric in METRICS.items())


def test_a_sample_from_the_future_counts_at_receipt() -> None:
    early, late = (
        {**event("task.queue", value=value), "time": time}
        for value, time in ((5000, "2099-01-01T00:00:00Z"), (3, "2026-11-23T12:30:00Z"))
    )
    events, _ = judge([early, late], NOW)
    (sample,) = points(*events)
    assert isinstance(sample, Sampled)
    assert (sample.at, sample.value) == (NOW, 3)
