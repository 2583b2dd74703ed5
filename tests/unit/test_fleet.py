"""The simulated fleet: valid events, the same each time, healthy but for its timetable."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any, cast

import pytest
from genai_prices import Usage, calc_price
from pydantic import TypeAdapter

from local.fleet.incidents import HISTORY, Trouble, first_outage_ends, troubles
from local.fleet.runner import Fleet, FleetRunner
from shared.clock import SystemClock
from shared.events.types import AgentEvent
from tests.loopback import Behaviour, Reply, Request, loopback

AGENT_EVENT: TypeAdapter[AgentEvent] = TypeAdapter(AgentEvent)
KINDS = 15
MINUTE = timedelta(minutes=1)
SLICE = timedelta(seconds=15)
START = datetime(2026, 5, 4, 14, 0, 20, 700_000, tzinfo=UTC)
Events = Sequence[dict[str, Any]]


def events(start: datetime, lasts: timedelta, *, incidents: bool = True, seed: int = 1) -> Events:
    return Fleet(seed, start, incidents=incidents).events_between(start, start + lasts)


def when(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


def stamp(at: datetime) -> str:
    """Return the moment as events state it, where the order of texts is that of moments."""
    return at.isoformat(timespec="milliseconds")


def within(given: Events, start: datetime, lasts: timedelta) -> Events:
    first, last = stamp(start), stamp(start + lasts)
    return [event for event in given if first <= event["time"] < last]


def of(given: Events, kind: str, **data: str) -> Events:
    return [
        e for e in given if e["type"] == kind and all(e["data"][n] == v for n, v in data.items())
    ]


def count(given: Events) -> int:
    return sum(event["data"].get("count", 1) for event in given)


def share_over(given: Events, seconds: float) -> float:
    slow = [event for event in given if event["data"]["duration_s"] > seconds]
    return count(slow) / count(given)


def failing(calls: Events) -> float:
    return count(of(calls, "llm.call", status="error")) / max(1, count(calls))


def usd(given: Events) -> Decimal:
    """Return what the calls cost at list prices; the house's own model has none."""
    total = Decimal()
    for event in of(given, "llm.call"):
        data, usage = event["data"], event["data"]["usage"]
        if data["provider"] != "workshop":
            cached = usage.get("cache_read_tokens", 0)
            rates = rates_of(data["provider"], data["model"])
            tokens = (usage["input_tokens"] - cached, cached, usage["output_tokens"])
            total += sum(rate * n for rate, n in zip(rates, tokens, strict=True))
    return total


@cache
def rates_of(provider: str, model: str) -> tuple[Decimal, Decimal, Decimal]:
    """Return the price of a token that is read, read from the cache, written."""
    fresh, cached, written = (
        calc_price(usage, model, provider_id=provider, genai_request_timestamp=START).total_price
        / 1000
        for usage in (
            Usage(input_tokens=1000),
            Usage(input_tokens=1000, cache_read_tokens=1000),
            Usage(output_tokens=1000),
        )
    )
    return fresh, cached, written


def looks(
    given: Events, first: datetime, window: timedelta, is_bad: Callable[[Events], bool]
) -> list[bool]:
    """Return what a rule sees at the first ten ticks of the wall clock's minutes."""
    ticks = [first + n * MINUTE for n in range(10)]
    return [is_bad(within(given, tick - window, window)) for tick in ticks]


def longest(seen: list[bool]) -> int:
    """Return the most looks in a row that saw trouble."""
    run = most = 0
    for bad in seen:
        run = run + 1 if bad else 0
        most = max(most, run)
    return most


def test_every_event_is_valid_and_all_kinds_appear() -> None:
    given = events(START, 9 * MINUTE)
    for event in given:
        AGENT_EVENT.validate_python(event)
        assert json.loads(json.dumps(event)) == event
    assert len({event["type"] for event in given}) == KINDS
    assert len({(event["source"], event["id"]) for event in given}) == len(given)
    calls = of(given, "llm.call")
    assert len({call["data"]["provider"] for call in calls}) >= 7
    assert len({call["data"].get("response_id") for call in calls}) > 0.7 * len(calls)
    assert of(calls, "llm.call", provider="workshop")
    assert len({event["data"].get("team_id") for event in given} - {None}) == 7


def test_a_seed_and_a_time_give_the_same_events_however_they_are_asked_for() -> None:
    whole = events(START, MINUTE)
    fleet = Fleet(1, START)
    steps = [START + n * timedelta(seconds=0.7) for n in range(86)] + [START + MINUTE]
    parts = [fleet.events_between(a, b) for a, b in pairwise(steps)]
    assert [event for part in parts for event in part] == whole
    assert events(START, MINUTE, seed=2) != whole
    assert fleet.events_between(START, START) == []


def test_what_an_agent_does_in_a_minute_is_one_trace() -> None:
    given = events(START, 2 * MINUTE)
    traces: dict[str, set[object]] = {}
    for event in given:
        version, trace, span, flags = event.get("traceparent", "00---01").split("-")
        assert (version, flags) == ("00", "01")
        assert ("agent_id" in event["data"]) == bool(trace) == bool(span)
        traces.setdefault(trace, set()).add((event["data"].get("agent_id"), event["time"][:16]))
    del traces[""]
    assert all(len(agents) == 1 for agents in traces.values())
    assert len(traces) < len(given) / 4


def test_events_come_in_order_and_lie_in_the_time_asked_for() -> None:
    times = [when(event) for event in events(START, MINUTE)]
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < START + MINUTE


def test_the_fleet_never_posts_more_than_forty_events_a_second() -> None:
    per_second = Counter(event["time"][:19] for event in events(START, 8 * MINUTE))
    assert max(per_second.values()) < 40


@pytest.mark.parametrize("hour", [3, 9, 15])
def test_on_a_healthy_day_every_figure_is_clearly_under_its_threshold(hour: int) -> None:
    start = START.replace(hour=hour)
    given = events(start, 10 * MINUTE, incidents=False)
    for n in range(6):
        seen = within(given, start + n * MINUTE, 5 * MINUTE)
        calls, operations = of(seen, "llm.call"), of(seen, "agent.operation")
        assert count(of(seen, "error")) / 300 < 1
        assert share_over(of(seen, "http.request"), 1.5) < 0.02
        assert min(e["data"]["value"] for e in of(seen, "db.pool", state="idle")) >= 4
        assert count(of(operations, "agent.operation", status="success")) > 0.88 * count(operations)
        assert sum(e["data"]["value"] for e in of(seen, "task.queue")) / (300 / 15) < 60
        assert failing(calls) < 0.05
        assert share_over(calls, 24) == 0
        assert len(of(seen, "mission.completed")) >= 2
        assert usd(seen) * 12 < 15
    assert usd(given) / len(of(given, "mission.completed")) < 1


def test_nights_are_quieter_than_afternoons() -> None:
    night, day = (
        len(events(START.replace(hour=hour), 5 * MINUTE, incidents=False)) for hour in (3, 15)
    )
    assert night < 0.7 * day


def ticks_after(start: datetime, count: int) -> list[datetime]:
    """Return the whole minutes at which rules look at a fleet that begins to report by then."""
    reported = start + HISTORY + timedelta(seconds=6)
    first = reported.replace(second=0, microsecond=0) + MINUTE
    return [first + n * MINUTE for n in range(count)]


def bad_seconds(given: Events, tick: datetime, is_bad: Callable[[Events], bool]) -> int:
    """Return about what a fast look sees: the 15 s slices of its window that are bad."""
    slices = [tick - 10 * SLICE + n * SLICE for n in range(10)]
    return sum(15 for begin in slices if is_bad(within(given, begin, SLICE)))


@pytest.mark.parametrize("second", [0, 7, 25, 39, 41, 53, 59])
def test_the_first_incident_fires_at_the_first_look_and_is_over_two_later(second: int) -> None:
    start = START.replace(second=second)
    given = events(start, 8 * MINUTE)
    seen = [
        bad_seconds(given, tick, lambda part: count(of(part, "error")) > 150)
        for tick in ticks_after(start, 5)
    ]
    assert [bad > 60 for bad in seen] == [True, True, False, False, False]
    for tick in ticks_after(start, 5):
        assert count(of(within(given, tick - 5 * MINUTE, 5 * MINUTE), "error")) / 300 < 10


@pytest.mark.parametrize("second", [0, 25, 53])
def test_most_calls_of_the_first_outage_fail_but_not_for_five_minutes(second: int) -> None:
    start = START.replace(second=second)
    given = of(events(start, 12 * MINUTE), "llm.call")
    outage = within(given, start, first_outage_ends(start) - start)
    assert failing(outage) > 0.6
    first = ticks_after(start, 1)[0]
    assert bad_seconds(given, first, lambda part: failing(part) > 0.15) > 60
    assert longest(looks(given, first, 5 * MINUTE, lambda seen: failing(seen) > 0.1)) <= 5


@pytest.mark.parametrize(
    ("minute", "wrong"),
    [
        (0.5, {"outage"}),
        (2.5, {"recovery"}),
        (5.9, set[Trouble]()),
        (6, {"surge"}),
        (8, set[Trouble]()),
        (11, {"surge"}),
        (12, {"surge", "backlog"}),
        (14, {"backlog"}),
        (16, {"surge", "backlog"}),
        (18, {"outage"}),
        (20, {"recovery"}),
        (23, set[Trouble]()),
        (26, {"surge"}),
        (66, {"surge"}),
        (-1, set[Trouble]()),
    ],
)
def test_the_timetable(minute: float, wrong: set[Trouble]) -> None:
    assert set(troubles(START, START + minute * MINUTE)) == wrong


def test_a_surge_is_seen_within_two_minutes_and_the_hour_stays_under_100_dollars() -> None:
    given = of(events(START, 66 * MINUTE), "llm.call")
    surge = START + 6 * MINUTE
    assert 200 < usd(within(given, surge, 2 * MINUTE)) * 30 < 280
    seen = [
        bad_seconds(given, surge + n * MINUTE, lambda part: usd(part) * 240 > 150) for n in range(5)
    ]
    assert [bad > 60 for bad in seen] == [False, False, True, True, False]
    spent = [usd(within(given, START + n * MINUTE, MINUTE)) for n in range(66)]
    assert max(sum(spent[n : n + 60]) for n in range(7)) < 95


def test_a_backlog_waits_for_six_minutes() -> None:
    given = of(events(START, 18 * MINUTE), "task.queue")
    waiting = Counter[str]()
    for event in given:
        waiting[event["time"][:19]] += event["data"]["value"]
    over = [datetime.fromisoformat(f"{at}Z") for at, tasks in waiting.items() if tasks > 100]
    assert max(waiting.values()) < 200
    assert timedelta(minutes=5.4) < over[-1] - over[0] <= 6 * MINUTE
    assert all(tasks > 150 or tasks < 60 for tasks in waiting.values())


def test_the_runner_posts_over_the_api_and_repeats_what_was_not_taken() -> None:
    batches: list[list[dict[str, Any]]] = []
    enough = threading.Event()

    def api(request: Request) -> Behaviour:
        assert request.path == "/api/events"
        assert request.headers["x-functions-key"] == "the-key"
        batches.append(cast("list[dict[str, Any]]", request.json()))
        if len(batches) >= 5:
            enough.set()
        return "hang up" if len(batches) == 1 else Reply(503 if len(batches) == 2 else 202)

    with loopback(api) as server:
        runner = FleetRunner(server.url, "the-key", SystemClock(), beat_s=0.1)
        runner.start()
        assert enough.wait(10)
        runner.stop()
    lost, busy, taken, *later = ([event["id"] for event in batch] for batch in batches)
    assert taken[: len(busy)] == busy
    assert busy[: len(lost)] == lost
    assert not set(taken) & {name for batch in later for name in batch}
