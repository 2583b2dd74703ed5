"""Rows that are found late, clocks that are slow, and saw-teeth: one incident each, in time."""

from collections.abc import Sequence

import pytest

from tests.journeys.scenario import ERRORS, FAILURES, POOL, QUEUE, Found, Json, at, run

BROKEN = range(610, 1810)
"""The seconds in which all is wrong."""


def over_an_hour(every_s: int, kind: str, well: float, bad: float, **data: object) -> list[Json]:
    """Return an event each so many seconds: a gauge's values, or counts."""
    field = "value" if kind in ("db.pool", "task.queue") else "count"
    values = ((s, bad if s in BROKEN else well) for s in range(10, 3600, every_s))
    return [at(s, kind, **data, **{field: value}) for s, value in values]


def trouble() -> list[Json]:
    """Return four signals that are wrong for twenty minutes, as events come every 15 s."""
    return [
        *over_an_hour(15, "error", 3, 225),
        *over_an_hour(15, "llm.call", 49, 24, usage=None),
        *over_an_hour(15, "llm.call", 1, 26, status="error", usage=None),
        *over_an_hour(30, "db.pool", 8, 1),
        *over_an_hour(30, "task.queue", 40, 150),
    ]


def incidents(found: Found, rule: str) -> list[tuple[str, float]]:
    """Return what was called for the rule, and at which second."""
    return [(action, minute * 60) for minute, action, status in found.calls(rule) if status == 202]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("plan", [{}, {"ingest_delay_s": 300}], ids=str)
def test_late_rows_delay_no_page_and_resolve_nothing(plan: Json) -> None:
    rules: Sequence[str] = (ERRORS, FAILURES, POOL, QUEUE)
    found = run(trouble(), *rules, minutes=60, fast=True, offset_s=None, **plan)
    late_s = plan.get("ingest_delay_s", 0)
    for rule in rules:
        (opened, paged_s), (closed, over_s) = incidents(found, rule)
        assert (opened, closed) == ("trigger", "resolve"), rule
        assert paged_s - BROKEN.start <= 120, rule
        assert 0 < over_s - BROKEN.stop <= 690 + late_s, rule


@pytest.mark.timeout(300)
def test_a_clock_four_minutes_slow_is_heard() -> None:
    events = [at(s, "error", count=225) for s in range(370, 1570, 15)]
    found = run(events, ERRORS, minutes=60, fast=True, offset_s=None, sent_after_s=240)
    (opened, paged_s), (closed, over_s) = incidents(found, ERRORS)
    assert (opened, closed) == ("trigger", "resolve")
    assert paged_s - BROKEN.start <= 120
    assert 0 < over_s - BROKEN.stop <= 690


@pytest.mark.timeout(300)
def test_a_saw_tooth_is_one_incident() -> None:
    values = [40] * 40 + ([150] * 12 + [40] * 8) * 8 + [40] * 52
    events = [at(10 + 15 * n, "task.queue", value=value) for n, value in enumerate(values)]
    found = run(events, QUEUE, minutes=65, fast=True, offset_s=None)
    assert [action for action, _ in incidents(found, QUEUE)] == ["trigger", "resolve"]


@pytest.mark.timeout(300)
def test_errors_page_though_their_rows_come_after_three_minutes() -> None:
    events = [at(s, "error", count=15 * 5) for s in range(0, 1800, 5)]
    slow = run(events, ERRORS, minutes=40, fast=False, offset_s=None, ingest_delay_s=180)
    prompt = run(events, ERRORS, minutes=40, fast=False, offset_s=None)
    (_, late_s), (_, paged_s) = incidents(slow, ERRORS)[0], incidents(prompt, ERRORS)[0]
    assert 0 <= late_s - paged_s <= 300
    assert [action for action, _ in incidents(slow, ERRORS)] == ["trigger", "resolve"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("status", [503, 429, 0])
def test_an_hour_without_ingestion_delays_no_page(status: int) -> None:
    bad = range(2400, 2700)
    seconds = [*range(10, 2400, 60), *range(2400, 2720, 5), *range(2770, 4800, 60)]
    events = [at(s, "error", count=75 if s in bad else 3) for s in seconds]
    outage = {"from": 0, "to": 3600, "status": status}
    plan: Json = {"flush_s": 5, "queue_s": 5, "ingestion_faults": [outage]}
    found = run(events, ERRORS, minutes=80, fast=True, offset_s=None, **plan)
    (opened, paged_s), (closed, over_s) = incidents(found, ERRORS)
    assert (opened, closed) == ("trigger", "resolve")
    assert 60 <= paged_s - bad.start <= 90
    assert bad.stop < over_s <= 3600 + 600
