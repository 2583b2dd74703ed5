"""Fast conditions: how they are written, what they count, and what they find too bad."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.alerting.count_fast import SERIES_MOST, CountFast, Priced, clock
from shared.alerting.fast import FastCondition
from shared.alerting.fast_kql import kql_of
from shared.alerting.judge_fast import by_condition, judge, reach_of
from shared.alerting.reading import Reading, Sample, Unseen, fingerprint
from shared.alerting.tallies import Tallies, merge_all
from shared.events.types import AgentEvent
from shared.pricing.cost import Cost
from tests.factories import event

START = datetime(2026, 1, 5, 0, 0, 7, tzinfo=UTC)
EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
ERRORS = {"event": "error", "rate": "> 10 / s"}
FAILURES = {"event": "llm.call", "bad": {"status": ["error"]}, "share": "> 15 %"}
QUEUE = {"event": "task.queue", "value": "> 100"}
POOL = {"event": "db.pool", "where": {"state": ["idle"]}, "value": "< 2", "by": ["source"]}
SPEND = {"event": "llm.call", "sum": "cost_usd", "rate": "> 150 / h"}
EACH = {"event": "llm.call", "sum": "cost_usd", "rate": "> 100 / mission.completed"}


def fast(**stated: object) -> FastCondition:
    return FastCondition.model_validate(stated)


def at(
    second: float, type_: str, usd: float | None = None, source: str = "a", **data: Any
) -> Priced:
    cost = None if usd is None else Cost(Decimal(str(usd)), "known", "")
    raw = event(type_, **data) | {"source": source}
    raw["time"] = (START + timedelta(seconds=second)).isoformat()
    return EVENT.validate_python(raw), cost


def errors(seconds: Iterable[int], count: int = 15) -> list[Priced]:
    return [at(second, "error", count=count) for second in seconds]


def tallied(
    condition: FastCondition, events: Iterable[Priced], late_s: float = 2, group_s: int = 5
) -> Tallies:
    """Count the events in messages of some seconds, each received a while after its last event."""
    messages: dict[int, list[Priced]] = {}
    for one in events:
        messages.setdefault(int((one[0].time - START).total_seconds()) // group_s, []).append(one)
    count = CountFast([condition])
    return merge_all(
        count.count(some, START + timedelta(seconds=(number + 1) * group_s + late_s))
        for number, some in messages.items()
    )


def found(condition: FastCondition, tallies: Tallies, second: float) -> Sample:
    """Judge after that second, with a heartbeat that was just counted."""
    now = START + timedelta(seconds=second)
    both = merge_all([tallies, clock(now)])
    reading = judged(condition, both, now)
    assert isinstance(reading, Mapping)
    (sample,) = reading.values()
    return sample


def judged(condition: FastCondition, tallies: Tallies, now: datetime) -> Reading:
    series = by_condition(tallies).get(condition.digest, {})
    return judge(condition, series, reach_of(tallies, now), now)


@pytest.mark.parametrize("phase", range(15))
def test_a_minute_of_errors_is_bad_and_59_seconds_are_not(phase: int) -> None:
    condition = fast(**ERRORS)
    short = tallied(condition, errors(range(phase, phase + 59)))
    full = tallied(condition, errors(range(phase, phase + 68)))
    assert not any(found(condition, short, phase + late).is_bad for late in (60, 64, 75, 120, 240))
    bad = found(condition, full, phase + 70)
    assert (bad.is_bad, round(float(bad.value or 0))) == (True, 15)
    assert bad.onset is not None
    assert 0 <= (bad.onset - START).total_seconds() - phase <= 3
    assert not found(condition, full, phase + 175).is_bad


@pytest.mark.parametrize(
    ("stated", "well", "failed"),
    [
        pytest.param(
            FAILURES,
            [at(s, "llm.call", count=49) for s in range(200)]
            + [at(s, "llm.call", count=1, status="error") for s in range(200)],
            [at(s, "llm.call", count=24) for s in range(70)]
            + [at(s, "llm.call", count=26, status="error") for s in range(70)],
            id="share of bad",
        ),
        pytest.param(
            {"event": "agent.operation", "good": {"status": ["success"]}, "share": "> 35 %"},
            [at(s, "agent.operation", count=9) for s in range(200)]
            + [at(s, "agent.operation", status="error") for s in range(200)],
            [at(s, "agent.operation", count=5) for s in range(70)]
            + [at(s, "agent.operation", count=5, status="error") for s in range(70)],
            id="share of not good",
        ),
        pytest.param(
            {"event": "http.request", "over": {"duration_s": 2}, "share": "> 20 %"},
            [at(s, "http.request", duration_s=2) for s in range(200)],
            [at(s, "http.request", duration_s=4) for s in range(70)],
            id="share of slow",
        ),
        pytest.param(
            SPEND,
            [at(s, "llm.call", usd=30 / 3600) for s in range(200)],
            [at(s, "llm.call", usd=180 / 3600) for s in range(70)],
            id="sum in an hour",
        ),
        pytest.param(
            EACH,
            [at(s, "llm.call", usd=20) for s in range(0, 200, 5)]
            + [at(s, "mission.completed") for s in range(0, 200, 5)],
            [at(s, "llm.call", usd=200) for s in range(0, 70, 5)]
            + [at(s, "mission.completed") for s in range(0, 70, 5)],
            id="sum for each other event",
        ),
        pytest.param(
            QUEUE,
            [at(s, "task.queue", value=40) for s in range(0, 200, 15)],
            [at(s, "task.queue", value=150) for s in range(0, 70, 15)],
            id="gauge over",
        ),
        pytest.param(
            POOL,
            [at(s, "db.pool", value=8) for s in range(0, 200, 15)],
            [at(s, "db.pool", value=1) for s in range(0, 70, 15)],
            id="gauge under",
        ),
    ],
)
def test_each_form_finds_its_failure(
    stated: dict[str, object], well: list[Priced], failed: list[Priced]
) -> None:
    condition = fast(**stated)
    assert not found(condition, tallied(condition, well), 200).is_bad
    sample = found(condition, tallied(condition, failed), 75)
    assert sample.is_bad
    assert condition.comparison.holds(sample.value)


def test_unknown_costs_and_durations_say_nothing() -> None:
    spend, slow = fast(**SPEND), fast(event="llm.call", over={"duration_s": 30}, share="> 20 %")
    calls = [at(s, "llm.call", duration_s=None, count=50) for s in range(70)]
    assert found(spend, tallied(spend, calls), 75).value == 0
    assert found(slow, tallied(slow, calls), 75).value is None


def test_few_bad_ones_are_no_share() -> None:
    rare = [at(s, "llm.call", status="error") for s in range(0, 100, 10)]
    condition = fast(**FAILURES)
    assert not found(condition, tallied(condition, rare), 100).is_bad
    assert found(fast(**FAILURES, at_least=1), tallied(condition, rare), 100).is_bad


def test_gauges_of_all_who_report_are_added() -> None:
    condition = fast(**QUEUE)
    samples = [
        at(s, "task.queue", value=60, source=source, priority=priority)
        for s in range(0, 70, 15)
        for source, priority in (("a", "high"), ("b", "low"))
    ]
    sample = found(condition, tallied(condition, samples), 75)
    assert (sample.is_bad, sample.value) == (True, 120)


def test_series_are_judged_apart_and_bounded() -> None:
    condition = fast(**ERRORS, by=["team_id"])
    two = [at(s, "error", count=n, team_id=t) for s in range(70) for t, n in (("x", 15), ("y", 2))]
    reading = judged(condition, tallied(condition, two), START + timedelta(seconds=75))
    assert isinstance(reading, Mapping)
    bad = {str(sample.labels["TeamId"]): sample.is_bad for sample in reading.values()}
    assert bad == {"x": True, "y": False}
    many = [at(0, "error", team_id=str(n)) for n in range(3 * SERIES_MOST)]
    keys = {key.labels for key in CountFast([condition]).count(many, START) if key.labels}
    assert len(keys) == SERIES_MOST + 1


def test_a_backlog_neither_fires_nor_resolves() -> None:
    condition = fast(**ERRORS)
    tallies = tallied(condition, errors(range(70)))
    assert isinstance(judged(condition, tallies, START + timedelta(minutes=10)), Unseen)
    over = merge_all([tallies, clock(START + timedelta(minutes=10))])
    reading = judged(condition, over, START + timedelta(minutes=10, seconds=20))
    assert isinstance(reading, Mapping)
    assert not reading[fingerprint({})].is_bad
    assert isinstance(judged(condition, {}, START), Unseen)


def test_empty_slices_behind_the_heartbeat_say_nothing() -> None:
    condition = fast(**ERRORS)
    tallies = tallied(condition, errors(range(70)))
    reading = judged(condition, tallies, START + timedelta(seconds=180))
    assert isinstance(reading, Mapping)
    assert reading[fingerprint({})].is_bad


def test_a_slow_clock_counts_when_its_events_arrive() -> None:
    condition = fast(**ERRORS)
    slow = tallied(condition, errors(range(70)), late_s=240)
    assert found(condition, slow, 315).is_bad
    assert not found(condition, slow, 420).is_bad


@pytest.mark.parametrize("ahead_s", [20, 180, 3600])
def test_a_message_dated_ahead_hides_nothing(ahead_s: int) -> None:
    condition = fast(**ERRORS)
    ahead = CountFast([condition]).count(errors([0]), START + timedelta(seconds=66 + ahead_s))
    tallies = merge_all([tallied(condition, errors(range(170))), ahead])
    assert found(condition, tallies, 72).is_bad
    assert not found(condition, tallies, 275).is_bad


def test_old_events_that_come_in_a_burst_are_over() -> None:
    condition = fast(**ERRORS)
    spooled = CountFast([condition]).count(errors(range(600)), START + timedelta(seconds=900))
    assert not found(condition, spooled, 905).is_bad
    day_old = CountFast([condition]).count(errors(range(600)), START + timedelta(days=1))
    assert [key.condition for key in day_old] == ["clock"]


def test_a_burst_up_to_now_is_bad() -> None:
    condition = fast(**ERRORS)
    caught_up = CountFast([condition]).count(errors(range(170)), START + timedelta(seconds=171))
    assert found(condition, caught_up, 172).is_bad


def test_times_ahead_count_at_receipt() -> None:
    condition = fast(**ERRORS)
    ahead = [one for s in range(70) for one in errors([s + 3600])]
    tallies = merge_all(
        CountFast([condition]).count([one], START + timedelta(seconds=s))
        for s, one in enumerate(ahead)
    )
    assert found(condition, tallies, 75).is_bad


def test_another_limit_judges_the_same_tallies() -> None:
    assert fast(**ERRORS).digest == fast(**{**ERRORS, "rate": "> 5 / s"}).digest
    assert fast(**ERRORS).digest != fast(**ERRORS, by=["team_id"]).digest


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        pytest.param({"event": "errors", "rate": "> 1 / s"}, "no kind of event", id="event"),
        pytest.param({**FAILURES, "bad": {"stat": ["x"]}}, "llm.call has no 'stat'", id="field"),
        pytest.param({**ERRORS, "by": ["model"]}, "error has no 'model'", id="series"),
        pytest.param({**SPEND, "sum": "cost"}, "llm.call has no 'cost'", id="sum"),
        pytest.param({**FAILURES, "share": "> 100 %"}, "never or always", id="share over all"),
        pytest.param({**FAILURES, "share": "> -1 %"}, "never or always", id="share under none"),
        pytest.param({**FAILURES, "share": "< 5 %"}, "never or always", id="share below"),
        pytest.param({**ERRORS, "rate": "> 0 / s"}, "above 0", id="rate of nothing"),
        pytest.param({**ERRORS, "rate": "< 5 / s"}, "above 0", id="rate below"),
        pytest.param({**ERRORS, "rate": "> 5 / day"}, "no rate", id="unit"),
        pytest.param({**ERRORS, "value": "> 1"}, "say one of `rate`", id="two limits"),
        pytest.param({"event": "error"}, "say one of `rate`", id="no limit"),
        pytest.param({"event": "llm.call", "share": "> 5 %"}, "which events are bad", id="no bad"),
        pytest.param({**QUEUE, "event": "error"}, "is no gauge", id="no gauge"),
        pytest.param({**FAILURES, "sum": "cost_usd"}, "needs a `rate`", id="sum of a share"),
        pytest.param({**ERRORS, "lasting": "PT1H"}, "lasting: from 15 s", id="too long"),
        pytest.param({**ERRORS, "window": "PT1M"}, "Extra inputs", id="unknown key"),
    ],
)
def test_what_cannot_be_judged_is_refused(stated: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        fast(**stated)


def test_the_events_can_be_looked_up() -> None:
    assert kql_of(fast(**EACH)).splitlines()[2:] == [
        '| where Name in ("llm.call", "mission.completed")',
        '| summarize Bad = sum(CostUsd), All = sumif(Count, Name == "mission.completed")'
        " by At = bin(TimeGenerated, 15s)",
    ]
    assert 'State in ("idle")' in kql_of(fast(**POOL))
