"""A release with a wrong configuration: alerts go on by the last right one, and one is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, minutes, small_config


def incidents(box: Laptop) -> dict[str, bool]:
    """Return which rules have an incident, and whether it is over."""
    return {one.dedup_key.split("/", 2)[2]: one.resolved_at is not None for one in box.incidents()}


def changes(box: Laptop) -> set[str]:
    """Return what the pager was told as change events."""
    answer = box.http.get(f"{box.stack.pagerduty_url}/changes", timeout=TIMEOUT_S)
    return {one["payload"]["payload"]["summary"] for one in answer.json()}


def fail(box: Laptop, count: int) -> None:
    """Tick through so many minutes full of errors."""
    for at in minutes(box.clock.now(), count):
        times = [at - timedelta(seconds=ago) for ago in (50, 35, 20, 5)]
        box.clock.advance(seconds=(at - box.clock.now()).total_seconds())
        box.post(
            [
                {**event("error", count=900), "id": time.isoformat(), "time": time.isoformat()}
                for time in times
            ]
        )
        box.tick(at)


@pytest.mark.parametrize("file", ["rules/HighErrorRate.toml", "routes.toml"])
def test_a_start_with_a_wrong_file_goes_on_and_pages(tmp_path: Path, file: str) -> None:
    folder, clock = small_config(tmp_path / "config", ""), FakeClock(START)
    with laptop(tmp_path / "home", clock, AGENTMETER_CONFIG=folder) as box:
        box.tick(minutes(START, 1)[0])
    path = tmp_path / "config" / file
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace("severit", "gravit"), encoding="utf-8")
    release = {"AGENTMETER_CONFIG": folder, "AGENTMETER_VERSION": "2"}
    with laptop(tmp_path / "home", clock, **release) as box:
        fail(box, 4)
        assert incidents(box) == {
            "HighErrorRate/critical": False,
            "ConfigurationWrong/error": False,
        }
        checks = {one["name"]: one for one in box.get("/api/health").json()["checks"]}
        (wrong,) = (name for name, one in checks.items() if not one["ok"])
        assert wrong == file.partition("/")[0]
        assert "the last known good one goes on" in checks[wrong]["detail"]
        path.write_text(right, encoding="utf-8")
        for at in minutes(clock.now(), 2):
            box.tick(at)
        assert incidents(box)["ConfigurationWrong/error"]
        assert changes(box) == {"agentmeter/local: version 2 is deployed, after ?"}
