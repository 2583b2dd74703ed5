"""A queue that stood still, and old events that a sender spooled: no page for what is long over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from pydantic_core import to_json

from replay.plan import Plan
from replay.recording import Recorded
from replay.run import replay
from replay.world import Config
from tests.journeys.scenario import (
    ERRORS,
    FAILURES,
    QUEUE,
    RULES,
    START,
    Found,
    Json,
    at,
    routes,
    run,
)

STOOD = {"from": 1080, "to": 1680}
"""Seconds in which nothing is taken from the queue."""


def errors(bad: range, lasts_s: int) -> list[Json]:
    """Return errors each 5 s: 15 a second in the bad seconds, few in all others."""
    return [at(s, "error", count=75 if s in bad else 3) for s in range(0, lasts_s, 5)]


def seen(events: Sequence[Json], minutes: int) -> Found:
    plan: Json = {"flush_s": 5, "queue_s": 5, "offset_s": None, "processing_faults": [STOOD]}
    return run(events, ERRORS, minutes=minutes, fast=True, **plan)


@pytest.mark.timeout(300)
def test_what_a_backlog_holds_may_be_long_over() -> None:
    assert seen(errors(range(1140, 1440), 2400), minutes=40).calls() == []


@pytest.mark.timeout(300)
def test_a_backlog_is_no_recovery() -> None:
    bad = range(720, 2100)
    (opened, closed) = seen(errors(bad, 3000), minutes=50).calls()
    assert (opened[1:], closed[1:]) == (("trigger", 202), ("resolve", 202))
    assert 60 <= opened[0] * 60 - bad.start <= 90
    assert closed[0] * 60 > bad.stop


@pytest.mark.timeout(300)
@pytest.mark.parametrize("ended_s", [1200, 6 * 3600])
def test_a_day_of_spooled_events_pages_no_one(ended_s: int) -> None:
    """They come at once, half an hour after the start; the last happened `ended_s` before."""
    sent_s, every_s = 1800, 60
    spooled = [
        (
            at(second, "error", count=15 * every_s),
            at(second, "llm.call", status="error", count=5 * every_s, usage=None),
            at(second, "task.queue", value=150),
        )
        for second in range(sent_s - 24 * 3600, sent_s - ended_s, every_s)
    ]
    now = [at(s, "error", count=3) for s in range(0, 3600, 15)]
    sent_at = START + timedelta(seconds=sent_s)
    posts = [(sent_at, one) for some in spooled for one in some]
    posts += [(datetime.fromisoformat(one["time"]), one) for one in now]
    posts.sort(key=lambda post: post[0])
    recorded = [Recorded(n, to_json(one), sent) for n, (sent, one) in enumerate(posts, start=1)]
    plan = Plan.model_validate({"start": START, "duration_s": 3600, "flush_s": 5, "queue_s": 5})
    config = Config([RULES[rule] for rule in (ERRORS, FAILURES, QUEUE)], routes(), "")
    happened = replay(plan, config, recorded, lambda _: None)
    assert (happened.failed, happened.refused) == ({}, [])
    assert happened.posted == len(recorded)
    assert happened.attempts == []
