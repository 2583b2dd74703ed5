"""The alert rules that a budget stands for."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from shared.alerting.budget import Budget, Pace
from shared.alerting.page import Severity
from shared.alerting.rule import Rule
from shared.events.columns import ADJUSTMENT, DIMENSIONS

FORECAST_FROM = 4
"""A forecast is made once one part in so many of the period has passed."""
FORECAST_SEVERITY: Severity = "warning"
PACE_SEVERITY: Severity = "critical"
SHORT_PARTS = 12
"""A pace must hold in the last of so many parts of its window, too: so it ends soon after."""
THRESHOLD_ENDS_AT = 90
"""Per cent of the threshold. A sum of costs falls by corrections alone, or its budget is raised:
only a fall that matters ends an alert within the period."""
FORECAST_ENDS_AT = 95
"""Per cent of the amount."""
SPENDERS = """| summarize Usd = sum(CostUsd) by Model, TeamId, AgentType
| top 10 by Usd desc"""
NO_REMINDER = "P400D"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
# What came too late for Azure to date it right names its own time, and belongs to that.
_COSTS = f"""UsageEvents
| where TimeGenerated >= FIRST and TimeGenerated < {{end}} and Name in ("llm.call", "{ADJUSTMENT}")
| extend At = min_of(coalesce(todatetime(OccurredAt), TimeGenerated), TimeGenerated)
| where At >= FIRST"""
_DIGITS = 6
"""Sums are rounded to the millionth of a dollar: what is below is the noise of adding doubles, 1e-8
in half a million calls of $6,150, and must not keep $100 from being $100.
"""


def rules_of(budget: Budget) -> Sequence[Rule]:
    """Return a rule for each threshold, one for the forecast and one for the pace.

    Thresholds and forecast have one series a period, labelled with its beginning, so that the
    alert of a period ends with it.
    """
    rules = [_threshold(budget, *item) for item in budget.thresholds.items()]
    if budget.forecast:
        rules.append(_forecast(budget))
    if budget.pace:
        rules.append(_burn(budget, budget.pace))
    return rules


def key_of(budget: Budget, part: str, severity: Severity) -> str:
    """Return the key of one of its rules. part: a threshold's per cent, "forecast" or "burn"."""
    return f"{_name(budget, part)}/{severity}"


def scope_filter(budget: Budget) -> str:
    """Return the lines of KQL that keep what the budget is for; "" where that is everything."""
    return "".join(
        f"\n| where {column} in ({', '.join(map(literal, budget.scope[label]))})"
        for label, column in DIMENSIONS.items()
        if label in budget.scope
    )


def literal(text: str) -> str:
    """Write a text without other control characters than \\n, \\r and \\t as a string of KQL."""
    return f'"{text.translate(_ESCAPES)}"'


def _threshold(budget: Budget, percent: int, severity: Severity) -> Rule:
    return _rule(
        budget,
        str(percent),
        severity,
        {
            **_within_a_period(budget),
            **_reaches(">=", budget.part(percent), THRESHOLD_ENDS_AT),
            "summary": f"{percent} % of {_amount(budget)} is spent: ${{value:.2f}}",
            "query": f"""{_costs(budget, "{since}")}
| summarize value = round(sum(CostUsd), {_DIGITS})
| extend Since = tostring({{since}})""",
        },
    )


def _forecast(budget: Budget) -> Rule:
    """Warn when the whole period at its pace so far would cost more than the amount."""
    return _rule(
        budget,
        "forecast",
        FORECAST_SEVERITY,
        {
            **_within_a_period(budget),
            **_reaches(">", budget.amount_usd, FORECAST_ENDS_AT),
            "summary": f"{_amount(budget)} will not do: at its pace so far the {budget.period} "
            "costs ${value:.2f}",
            "query": f"""{_costs(budget, "{since}")}
| summarize Spent = sum(CostUsd)
| extend PassedS = datetime_diff("second", {{end}}, {{since}})
| extend WholeS = datetime_diff("second", {{until}}, {{since}})
| where {FORECAST_FROM} * PassedS >= WholeS
| project value = round(Spent * WholeS / PassedS, {_DIGITS}), Since = tostring({{since}})""",
        },
    )


def _burn(budget: Budget, pace: Pace) -> Rule:
    """Page while spend is too fast, over the pace's window and over the last part of it, too."""
    short_s = pace.window // timedelta(seconds=SHORT_PARTS)
    hours = pace.window / timedelta(hours=1)
    return _rule(
        budget,
        "burn",
        PACE_SEVERITY,
        {
            "window": _iso(pace.window),
            "condition": f">= {_plain(budget.part(pace.percent))}",
            "summary": f"{_amount(budget)} goes too fast: ${{value:.2f}} in {hours:g} h, over "
            f"{pace.percent} %",
            "query": f"""{_costs(budget, "{start}")}
| summarize Long = sum(CostUsd), Short = sumif(CostUsd, At >= {{end}} - {short_s}s)
| project value = round(min_of(Long, {SHORT_PARTS} * coalesce(Short, 0.0)), {_DIGITS})""",
        },
    )


def _rule(budget: Budget, part: str, severity: Severity, fields: Mapping[str, object]) -> Rule:
    first = "{since}" if "calendar" in fields else "{start}"
    common: Mapping[str, object] = {
        "name": _name(budget, part),
        "group": "budgets",
        "severity": severity,
        "every": _iso(budget.every),
        "description": f"{_braced(_scope(budget))}. Calls without a price are not in the sum; "
        "GET /api/budgets counts them.",
        "runbook": budget.runbook,
        "contributors": f"{_costs(budget, first)}\n{SPENDERS}",
    }
    return Rule.model_validate({**common, **fields})


def _name(budget: Budget, part: str) -> str:
    return f"Budget_{budget.name}_{part}"


def _within_a_period(budget: Budget) -> Mapping[str, object]:
    """Look at the period so far; the series of one that is over is gone, which is its end."""
    calendar = budget.calendar
    return {
        "window": _iso(calendar.longest),
        "calendar": calendar,
        "no_data": "ok",
        "repeat_interval": NO_REMINDER,
    }


def _reaches(operator: str, usd: Decimal, ends_at: int) -> Mapping[str, str]:
    return {
        "condition": f"{operator} {_plain(usd)}",
        "resolve": f"< {_plain((usd * ends_at).scaleb(-2))}",
    }


def _costs(budget: Budget, first: str) -> str:
    """Return the rows of the budget from that bound on."""
    return _COSTS.replace("FIRST", first) + scope_filter(budget)


def _amount(budget: Budget) -> str:
    return f"Budget {budget.name} (${_plain(budget.amount_usd)} a {budget.period})"


def _plain(usd: Decimal) -> str:
    """Write an amount in full, without zeros behind."""
    return f"{usd.normalize():f}"


def _scope(budget: Budget) -> str:
    """Say in words what the budget is for."""
    named = budget.scope.items()
    parts = [f"{label} {' or '.join(map(literal, values))}" for label, values in named]
    return "What was spent by " + (" and ".join(parts) or "everyone")


def _braced(text: str) -> str:
    """Keep braces from being placeholders."""
    return text.replace("{", "{{").replace("}", "}}")


def _iso(span: timedelta) -> str:
    return f"PT{span // timedelta(seconds=1)}S"
