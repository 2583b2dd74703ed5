"""A stack with a few minutes of everything, and a browser on its page."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.factories import DATA, event
from tests.fakes import START, FakeClock
from tests.journeys.browser import Viewer, chromium, viewer
from tests.journeys.laptop import Laptop, laptop, minutes

SECOND = timedelta(seconds=1)
FIRST = START + 59 * SECOND
"""When the first of all events happened."""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Generator[Laptop]:
    """Return a stack with a few minutes of everything, of which one rule has had enough."""
    with laptop(tmp_path_factory.mktemp("page"), FakeClock(START)) as running:
        for at in minutes(START, 3):
            running.clock.advance(seconds=(at - running.clock.now()).total_seconds())
            running.post([*everything(at - SECOND), *storm(at)])
            running.stack.host.tick(at)
        yield running


def at_time(at: datetime, id: str, made: dict[str, Any]) -> dict[str, Any]:
    """Return the event with an id and a time of its own."""
    return {**made, "id": f"{id} {at.isoformat()}", "time": at.isoformat()}


def everything(at: datetime) -> Generator[dict[str, Any]]:
    """Yield each kind of event for two teams, a call without a price, and one with a trace."""
    for team, model in (("red", "gpt-4"), ("blue", "gpt-4o-mini")):
        for kind in DATA:
            yield at_time(at, f"{team} {kind}", event(kind, team_id=team))
        yield at_time(at, f"{team} priced", event(team_id=team, model=model))
        yield at_time(at, f"{team} failed", event(team_id=team, status="error"))
    yield at_time(at, "unpriced", event(provider="workshop", model="house-blend"))
    traceparent = f"00-{TRACE}-00f067aa0ba902b7-01"
    yield at_time(at, "traced", event(team_id="red")) | {"traceparent": traceparent}


def storm(until: datetime) -> list[dict[str, Any]]:
    """Return so many errors, in every quarter of the minute before, that HighErrorRate fires."""
    quarters = [until - n * 15 * SECOND for n in range(1, 5)]
    return [at_time(at, "storm", event("error", count=300)) for at in quarters]


@pytest.fixture
def seen(browser: Browser, box: Laptop) -> Generator[Viewer]:
    """A tab that must have had nothing to complain of."""
    with viewer(browser, box.stack.page_url, box.clock.now()) as tab:
        yield tab
        assert tab.said == []
