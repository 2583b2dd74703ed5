"""Rules are evaluated and pages go out where Azure forgets the timer."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, small_config

SECONDS = 5


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Laptop]:
    config = small_config(tmp_path / "config", "")
    with laptop(tmp_path / "home", FakeClock(START), AGENTMETER_CONFIG=config) as running:
        yield running


def errors(box: Laptop, seconds: int) -> None:
    """Post 20 errors a second for so long, every five seconds, and run no timer."""
    for number in range(0, seconds, SECONDS):
        box.clock.advance(seconds=SECONDS)
        time = box.clock.now().isoformat()
        box.post([{**event("error", count=20 * SECONDS), "id": f"{number} {time}", "time": time}])


def test_messages_page_where_the_timer_is_dead(box: Laptop) -> None:
    box.tick(START)
    errors(box, 200)
    (incident,) = box.incidents()
    assert "High error rate" in incident.summary
    assert incident.opened_at - START <= timedelta(seconds=150 + SECONDS)
    errors(box, 120)
    assert len(box.incidents()) == 1


def test_a_request_evaluates_and_delivers(box: Laptop) -> None:
    errors(box, 90)
    assert box.incidents() == []
    url, key = f"{box.stack.app_url}/api/evaluate", box.stack.places.key()
    assert box.http.post(url, timeout=TIMEOUT_S).status_code == 401
    answer = box.http.post(url, headers={"x-functions-key": key}, timeout=TIMEOUT_S)
    assert answer.status_code == 200
    assert answer.json()["delivered"] == 1
    (rule,) = [one for one in answer.json()["rules"] if one["rule"] == "HighErrorRate/critical"]
    assert rule == {"rule": "HighErrorRate/critical", "outcome": "evaluated", "error": ""}
    (incident,) = box.incidents()
    assert "High error rate" in incident.summary
