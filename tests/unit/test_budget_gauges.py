"""Where budgets stand, as agentmeter tells it after a tick."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from replay.azure import DirectLog
from shared.alerting.budget import Budget, parse_budgets
from shared.errors import Misconfigured
from shared.events.columns import measurements, properties
from shared.usecases.evaluation.own_gauges import BudgetFigures
from shared.usecases.spending.budgets import Budgets
from standin.monitor.store import MonitorStore
from tests.fakes import FakeClock
from tests.in_memory import MemoryAlerts
from tests.monitor import event

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BUDGETS = """
[[budget]]
name = "fleet"
amount_usd = 10
period = "day"

[[budget]]
name = "quiet"
amount_usd = 5
period = "month"
scope = { team = "nobody" }

[[budget]]
name = "unpriced"
amount_usd = 1
period = "week"
scope = { team = "b" }
"""


def call(number: int, team: str, status: str, **numbers: float) -> dict[str, object]:
    text = {"id": f"{number}", "source": "a", "team_id": team, "cost_status": status}
    return event(properties(text), measurements(numbers), NOON - timedelta(hours=1))


def figures(now: datetime) -> dict[str, float]:
    store = MonitorStore(None, FakeClock(NOON))
    store.track([call(1, "a", "known", cost_usd=3.0), call(2, "b", "unknown")])
    budgets = Budgets(DirectLog(store), MemoryAlerts(), lambda: parse_budgets(BUDGETS, "b.toml"))
    samples = BudgetFigures(budgets).at(now)
    store.close()
    assert {sample.at for sample in samples} <= {now}
    return {f"{one.metric[18:]} {dict(one.labels)['budget']}": one.value for one in samples}


def test_each_budget_is_reported_with_what_is_known_of_it() -> None:
    assert figures(NOON) == {
        "amount_usd fleet": 10,
        "spent_usd fleet": 3,
        "forecast_usd fleet": 6,
        "unpriced_calls fleet": 1,
        "amount_usd quiet": 5,
        "spent_usd quiet": 0,
        "forecast_usd quiet": 0,
        "unpriced_calls quiet": 0,
        "amount_usd unpriced": 1,
        "unpriced_calls unpriced": 1,
    }


def test_the_log_is_not_asked_at_every_tick() -> None:
    shown = [bool(figures(NOON + timedelta(minutes=n))) for n in range(5)]
    assert shown == [True, False, False, False, True]


def test_budgets_that_cannot_be_read_are_said_and_stop_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def wrong() -> Sequence[Budget]:
        raise Misconfigured("budgets.toml: line 3: no amount. Add amount_usd.")

    caplog.set_level(logging.WARNING)
    with_store = MonitorStore(None, FakeClock(NOON))
    assert BudgetFigures(Budgets(DirectLog(with_store), MemoryAlerts(), wrong)).at(NOON) == ()
    assert "Add amount_usd" in caplog.text
