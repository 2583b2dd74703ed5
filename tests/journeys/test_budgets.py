from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.factories import event
from tests.fakes import FakeClock
from tests.journeys.laptop import Laptop, laptop, minutes, small_config

NEW_MONTH = datetime(2026, 10, 31, 23, tzinfo=UTC)
"""In Berlin; in UTC it is October for an hour still."""
BUDGETS = """
[[budget]]
name = "red"
amount_usd = 90
period = "month"
timezone = "Europe/Berlin"
scope = { team = "red" }
thresholds = { 50 = "critical", 100 = "critical" }
forecast = false

[[budget]]
name = "all"
amount_usd = 1000000
period = "week"
"""


def spend(box: Laptop, at: datetime, usd: int, team: str) -> None:
    """Post calls of gpt-4, a dollar each: its input is 30 dollars a million tokens."""
    tokens = usd * 1_000_000 // 30
    used = {"input_tokens": tokens, "output_tokens": 0}
    sent = event("llm.call", team_id=team, count=usd, usage=used)
    box.tick(at)
    box.post([{**sent, "id": f"{at.isoformat()}-{team}", "time": at.isoformat()}])


def state(box: Laptop) -> dict[str, Any]:
    return {budget["name"]: budget for budget in box.get("/api/budgets").json()["budgets"]}


def incidents(box: Laptop) -> list[tuple[str, bool, int]]:
    """Return each incident's budget rule, whether it is open, and how often it was told."""
    return sorted(
        (i.dedup_key.split("/")[2].removeprefix("Budget_"), i.resolved_at is None, i.triggers)
        for i in box.incidents()
    )


def test_a_budget_pages_once_a_month_and_is_resolved_when_the_next_begins(tmp_path: Path) -> None:
    start = NEW_MONTH - timedelta(hours=20)
    folder = small_config(tmp_path / "config", BUDGETS)
    with laptop(tmp_path / "home", FakeClock(start), AGENTMETER_CONFIG=folder) as box:
        spend(box, start + timedelta(minutes=2), 3000, "blue")
        spend(box, start + timedelta(minutes=3), 60, "red")
        for at in minutes(box.clock.now(), 7):
            box.tick(at)
        assert incidents(box) == [("red_50", True, 1), ("red_burn", True, 1)]

        spend(box, NEW_MONTH - timedelta(hours=9), 30, "red")
        for at in minutes(NEW_MONTH - timedelta(hours=8), 6):  # the first find nothing recent
            box.tick(at)
        reached = [("red_100", True, 1), ("red_50", True, 1), ("red_burn", False, 2)]
        assert incidents(box) == reached
        red = state(box)["red"]
        assert (red["spent_usd"], red["percent"]) == (90, 100)
        assert [(t["percent"], t["state"]) for t in red["thresholds"]] == [
            (50, "firing"), (100, "firing")
        ]  # fmt: skip

        for at in minutes(NEW_MONTH - timedelta(minutes=4), 3):
            box.tick(at)
        assert incidents(box) == reached
        for at in minutes(NEW_MONTH, 6):  # the logs reach the new month a little later
            box.tick(at)
        assert {is_open for _, is_open, _ in incidents(box)} == {False}
        red = state(box)["red"]
        assert (red["period_start"], red["spent_usd"]) == ("2026-10-31T23:00:00+00:00", 0)
        assert {t["state"] for t in red["thresholds"]} == {"inactive"}

        spend(box, box.clock.now() + timedelta(minutes=2), 48, "red")
        for at in minutes(box.clock.now(), 5):
            box.tick(at)
        again = [name for name, is_open, _ in incidents(box) if is_open]
        assert again == ["red_50", "red_burn"]
        assert state(box)["all"]["spent_usd"] == 3138
