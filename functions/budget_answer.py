"""Writes where a budget stands for people and machines."""

from datetime import datetime

from shared.alerting.budget_rules import FORECAST_SEVERITY, PACE_SEVERITY, key_of
from shared.alerting.page import Severity
from shared.usecases.spending.budgets import Standing


def budget_json(standing: Standing) -> dict[str, object]:
    """Return a budget and its alerts; amounts are US dollars."""
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
