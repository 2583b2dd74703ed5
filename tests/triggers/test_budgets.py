"""GET /api/budgets over HTTP, against rows that came through the whole pipeline."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.factories import event
from tests.fakes import START, FakeClock
from tests.journeys.laptop import TIMEOUT_S, Laptop, laptop, small_config

BUDGETS = """
[[budget]]
name = "team"
amount_usd = 120.50
period = "month"
timezone = "Europe/Berlin"
scope = { team = ["red", "it's \\"odd\\""] }

[[budget]]
name = "today"
amount_usd = 100
period = "day"
thresholds = { 90 = "error" }
forecast = false
burn = false

[[budget]]
name = "unpriced"
amount_usd = 1
period = "week"
scope = { model = "no-such" }
"""
MILLION = {"input_tokens": 1_000_000, "output_tokens": 0}
"""Of gpt-4: 30 US dollars."""


def call(number: int, hours_ago: float, **data: Any) -> dict[str, Any]:
    at = START - timedelta(hours=hours_ago)
    sent = event("llm.call", number, **({"usage": MILLION} | data))
    return {**sent, "time": at.isoformat()}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    home = tmp_path_factory.mktemp("laptop")
    folder = small_config(home / "config", BUDGETS)
    with laptop(home, FakeClock(START - timedelta(minutes=1)), AGENTMETER_CONFIG=folder) as running:
        running.post(
            [
                call(1, 1, team_id="red"),
                call(2, 30, team_id='it\'s "odd"', count=2),
                call(3, 24 * 20, team_id="red"),
                call(4, 24 * 30, team_id="red"),
                call(5, 2, model="no-such", count=5),
                call(6, 2, model="no-such", team_id="red"),
            ]
        )
        running.tick(START)
        yield running


def budgets(box: Laptop) -> dict[str, dict[str, Any]]:
    answer = box.get("/api/budgets")
    assert answer.status_code == 200, answer.text
    assert answer.json()["at"] == START.isoformat()
    return {budget["name"]: budget for budget in answer.json()["budgets"]}


def test_a_budget_says_all_that_there_is_to_know(box: Laptop) -> None:
    answer = budgets(box)["team"]
    passed, whole = 22 * 24 + 13.5, 30 * 24
    assert answer.pop("percent") == pytest.approx(90 / 1.205, abs=1e-6)
    assert answer.pop("forecast_usd") == pytest.approx(90 * whole / passed)
    assert answer == {
        "name": "team",
        "scope": {"team": ["red", 'it\'s "odd"']},
        "period": "month",
        "timezone": "Europe/Berlin",
        "period_start": "2026-10-31T23:00:00+00:00",
        "period_end": "2026-11-30T23:00:00+00:00",
        "amount_usd": 120.5,
        "spent_usd": 90,
        "unpriced_calls": 1,
        "thresholds": [
            {
                "percent": 50,
                "amount_usd": 60.25,
                "rule": "Budget_team_50/info",
                "severity": "info",
                "state": "firing",
            },
            {
                "percent": 80,
                "amount_usd": 96.4,
                "rule": "Budget_team_80/warning",
                "severity": "warning",
                "state": "inactive",
            },
            {
                "percent": 100,
                "amount_usd": 120.5,
                "rule": "Budget_team_100/critical",
                "severity": "critical",
                "state": "inactive",
            },
        ],
        "forecast": {
            "rule": "Budget_team_forecast/warning",
            "severity": "warning",
            "state": "inactive",
        },
        "burn": {"rule": "Budget_team_burn/critical", "severity": "critical", "state": "inactive"},
    }


def test_it_agrees_with_costs(box: Laptop) -> None:
    costs = box.get("/api/costs?by=team&from=2026-10-31T23:00:00Z").json()
    by_team = {row["team"]: row["cost_usd"] for row in costs["rows"]}
    assert budgets(box)["team"]["spent_usd"] == by_team["red"] + by_team['it\'s "odd"']


def test_what_a_budget_does_not_want_is_null(box: Laptop) -> None:
    answer = budgets(box)["today"]
    assert (answer["forecast"], answer["burn"], answer["scope"]) == (None, None, {})
    assert (answer["spent_usd"], answer["percent"], answer["unpriced_calls"]) == (30, 30, 6)
    assert answer["forecast_usd"] == pytest.approx(30 * 24 / 12.5)


def test_spend_of_which_nothing_is_known_is_not_zero(box: Laptop) -> None:
    answer = budgets(box)["unpriced"]
    assert (answer["spent_usd"], answer["percent"], answer["forecast_usd"]) == (None, None, None)
    assert answer["unpriced_calls"] == 6


def test_every_rule_of_a_budget_is_among_the_alerts(box: Laptop) -> None:
    rules = {rule["rule"]: rule["state"] for rule in box.get("/api/alerts").json()["rules"]}
    assert rules["Budget_team_50/info"] == "firing"
    assert len(rules) == 1 + 5 + 1 + 5


def test_without_a_key_nothing_is_reported(box: Laptop) -> None:
    url = f"{box.stack.app_url}/api/budgets"
    assert requests.get(url, timeout=TIMEOUT_S).status_code == 401


def test_without_budgets_the_list_is_empty(tmp_path: Path) -> None:
    with laptop(tmp_path, FakeClock(START)) as box:
        assert box.get("/api/budgets").json() == {"at": START.isoformat(), "budgets": []}


def test_a_log_that_does_not_answer_is_a_503_with_the_remedy(tmp_path: Path) -> None:
    folder = small_config(tmp_path / "config", BUDGETS)
    wrong = {"AGENTMETER_CONFIG": folder, "LOGS_ENDPOINT": "http://127.0.0.1:1"}
    with laptop(tmp_path / "home", FakeClock(START), **wrong) as box:
        answer = box.get("/api/budgets")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.json()["error"].startswith("What budget team has spent is not known: ")
        assert answer.json()["error"].endswith("says whether the rules get answers.")


def test_budgets_that_are_wrong_are_a_503_that_names_them(tmp_path: Path) -> None:
    folder = small_config(tmp_path / "config", BUDGETS.replace("120.50", "-1"))
    with laptop(tmp_path / "home", FakeClock(START), AGENTMETER_CONFIG=folder) as box:
        answer = box.get("/api/budgets")
        assert answer.status_code == 503
        assert answer.json()["error"].startswith("budgets.toml: line 4, [[budget]] 1: amount_usd: ")
