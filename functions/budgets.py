"""GET /api/budgets: where each budget stands."""

from collections.abc import Callable, Sequence
from datetime import datetime

import azure.functions as func

from functions.replies import reply
from functions.route import Role, Route
from shared.alerting.budget_rules import FORECAST_SEVERITY, PACE_SEVERITY, key_of
from shared.alerting.page import Severity
from shared.usecases.spending.budgets import Standing
from shared.wiring import App


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the route."""

    def get_budgets(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        now = parts.clock.now()
        standings = parts.budgets.standings(now)
        return reply(200, {"at": _iso(now), "budgets": [_budget(item) for item in standings]})

    return [
        Route("get_budgets", "api/budgets", {"GET": get_budgets}, Role.READER),
    ]


def _budget(standing: Standing) -> dict[str, object]:
    """Write a budget for people and machines; amounts are US dollars."""
    budget, spent = standing.budget, standing.spent_usd
    amount = float(budget.amount_usd)
    return {
        "name": budget.name,
        "scope": {label: list(values) for label, values in budget.scope.items()},
        "period": budget.period,
        "timezone": budget.timezone,
        "period_start": _iso(standing.start),
        "period_end": _iso(standing.end),
        "amount_usd": amount,
        "spent_usd": spent,
        "percent": None if spent is None else round(100 * spent / amount, 6),
        "forecast_usd": standing.forecast_usd,
        "unpriced_calls": standing.unpriced_calls,
        "thresholds": [
            {
                "percent": percent,
                "amount_usd": float(budget.part(percent)),
                **_alert(standing, str(percent), severity),
            }
            for percent, severity in budget.thresholds.items()
        ],
        "forecast": _alert(standing, "forecast", FORECAST_SEVERITY) if budget.forecast else None,
        "burn": _alert(standing, "burn", PACE_SEVERITY) if budget.pace else None,
    }


def _alert(standing: Standing, part: str, severity: Severity) -> dict[str, str]:
    """Tell which rule it is and how that stands, as GET /api/alerts does."""
    key = key_of(standing.budget, part, severity)
    return {"rule": key, "severity": severity, "state": standing.states.get(key, "inactive")}


def _iso(moment: datetime) -> str:
    return moment.isoformat()
