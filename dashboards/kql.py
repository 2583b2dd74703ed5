"""Fills in the placeholders of a panel's query, for Workbooks or for Grafana."""

import re
from dataclasses import dataclass

from dashboards.choice import CHOICES, key
from shared.events.otlp.coding_agents import CODING_AGENTS
from shared.usecases.explaining.drill import PREFIX
from shared.usecases.spending.spent_query import (
    ESTIMATED_MOVES,
    ROWS,
    UNPRICED_MOVES,
    unpriced_query,
)


def _toml(column: str) -> str:
    """Return the KQL of a name as it stands in a string of TOML."""
    backslash, quote = "\\\\", '\\"'
    escaped = f'replace_string({column}, "{backslash}", "{backslash * 2}")'
    return f'replace_string({escaped}, "{quote}", "{backslash}{quote}")'


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a product writes what was chosen. step: the width of a chart's bins, a timespan.

    many: the list of the keys that were chosen at the top, of dynamic type, by the name of its
    parameter. chosen: the key of the row that was chosen in another panel, likewise.
    """

    start: str
    end: str
    step: str
    many: str
    chosen: str


WORKBOOK = Dialect(
    "{TimeRange:start}",
    "{TimeRange:end}",
    "{TimeRange:grain}",
    "dynamic([{%s}])",
    r"'{\1}'",
)
GRAFANA = Dialect(
    "$__timeFrom()",
    "$__timeTo()",
    "$__interval",
    "dynamic([${%s:singlequote}])",
    r"'${\1:raw}'",
)

COSTS = f"""{ROWS.rstrip()}
| where {{scope}}
| extend Moved = iff(Name == "llm.call", Count, AdjustedCount)"""
"""Model calls and their corrections by the time of the call: sums of CostUsd are right, Count is 0
in a correction, and Moved is the number of calls that it moves from OldCostStatus to CostStatus."""

BOTH = COSTS.replace("{start}", "({start} - ({end} - {start}))")
"""The same of the time that was chosen and of as much before it."""

DIMENSIONS = {
    "team": "TeamId",
    "model": "Model",
    "provider": "Provider",
    "agent type": "AgentType",
    "agent": "AgentId",
    "mission": "MissionId",
    "conversation": "ConversationId",
    "user": "UserId",
    "tenant": "Tenant",
    "environment": "Environment",
    "deployment": "Deployment",
    "service tier": "ServiceTier",
}
"""What a reader may choose to split costs by."""
_CASES = ", ".join(
    f"'{{By}}' == base64_encode_tostring(\"\\n{name}\"), {column}"
    for name, column in DIMENSIONS.items()
)
SPENDERS = f"""\
{BOTH}
| extend Was = At < {{start}}, Who = case({_CASES}, "")
| extend Who = iff(isempty(Who), "(none)", Who)"""
"""BOTH, with whose it is by the dimension that was chosen, and whether it is of the time before."""

RATES = """\
range TimeGenerated from bin({start}, {step}) to {end} step {step}
| where TimeGenerated < {end}
| extend Every = 1
| join kind=inner (Rows | distinct Series | extend Every = 1) on Every
| join kind=leftouter Rows on TimeGenerated, Series
| extend From = max_of(TimeGenerated, {start}), Until = min_of(TimeGenerated + {step}, {end})
| project TimeGenerated, Series,
    PerSecond = coalesce(todouble(Amount), 0.0) / ((Until - From) / 1s)
| order by TimeGenerated asc, Series asc"""
"""What Rows (TimeGenerated, Series, Amount) comes to per second; 0 where a series has no row. The
first and the last bin count for as long as they are seen."""

_SCOPED = "\n| where {scope}"
UNPRICED_CALLS = f"""\
{unpriced_query(_SCOPED).rstrip()}
| extend Seller = {_toml("Provider")}, Named = {_toml("Model")}
| project Provider, Model, Calls, InputTokens, OutputTokens, FirstSeen, LastSeen, CostMissing,
    Add = iff(CostMissing has "usage", "no price helps: the calls do not state their usage",
        strcat("[[price]]\\nprovider = \\"", Seller, "\\"\\nmodel = \\"", Named, "\\"\\nfrom = ",
        format_datetime(FirstSeen, "yyyy-MM-dd"), "\\nsource = \\"\\"\\ninput =\\noutput ="))"""
"""Models without a price, and the entry that would price them, its figures left to fill in."""

EPISODES = """\
let Ends = AlertHistory
| where TimeGenerated >= {start} and TimeGenerated < {end}
| where Name == "alert.transition" and State == "resolved"
| project Episode, Ended = TimeGenerated, FiredForS = TimeToResolveS;
let Verdicts = AlertHistory
| where TimeGenerated >= {start} and TimeGenerated < {end}
| where Name == "alert.verdict"
| project Episode, Verdict = State;
AlertHistory
| where TimeGenerated >= {start} and TimeGenerated < {end}
| where Name == "alert.transition" and State == "firing" and {alert}
| join kind=leftouter Ends on Episode
| join kind=leftouter Verdicts on Episode
| project Fired = TimeGenerated, Alert, Severity, State = iff(isnull(Ended), "firing", "resolved"),
    LastedS = coalesce(FiredForS, ({end} - TimeGenerated) / 1s),
    Series = iff(Series == "{}", "", Series), Reason, Look, Value, Threshold, DetectionDelayS,
    Flap, Verdict, Episode"""
"""A row for each time that an alert fired; LastedS is until now where it goes on."""

_CODING = ", ".join(f'"{dialect.agent_name}"' for dialect in CODING_AGENTS)
_PARTS = {
    "{unpriced_calls}": UNPRICED_CALLS,
    "{costs}": COSTS,
    "{spenders}": SPENDERS,
    "{dimensions}": ", ".join(f'"{name}"' for name in DIMENSIONS),
    "{rates}": RATES,
    "{unpriced}": UNPRICED_MOVES,
    "{estimated}": ESTIMATED_MOVES,
    "{episodes}": EPISODES,
    "{scope}": "{team} and {environment}",
    "{coding}": f"AgentType in ({_CODING})",
    "{alert}": f'{{severity}} and {{rule}} and not(Alert startswith "{PREFIX}")',
    **{f"{{{name.lower()}}}": choice.condition for name, choice in CHOICES.items()},
}
_KEY = re.compile(r"\{key ([\w, ]+)\}")
_CHOSEN = re.compile(r"'\{(\w+)\}'")
_LATE = ("{costs}", "{spenders}", "{unpriced_calls}")


def bind(query: str, dialect: Dialect) -> str:
    """Return the query as the product takes it.

    {start}, {end}: the time that was chosen. {step}: the width of a bin. {scope}: the teams and
    environments that were chosen, {environment}: the latter alone, for what belongs to no team.
    {coding}: rows of coding agents.
    {alert}: the severities and rules that were chosen, without drills. {key A, B}: what stands for
    these columns of a row where it is chosen. {costs}, {rates}, {unpriced}, {estimated},
    {episodes}, {spenders}, {dimensions}: as above. '{Name}': the row that was chosen, see
    Panel.exports.
    """
    bound = query.strip()
    for name, text in _PARTS.items():
        bound = bound.replace(name, text)
    bound = _KEY.sub(lambda found: key(*found[1].split(", ")), bound)
    bound = _CHOSEN.sub(dialect.chosen, bound)
    lets = ((choice.chosen, dialect.many % name) for name, choice in CHOICES.items())
    used = "".join(f"let {name} = {value};\n" for name, value in lets if f"({name})" in bound)
    for name, text in (("start", dialect.start), ("end", dialect.end), ("step", dialect.step)):
        bound = bound.replace(f"{{{name}}}", text)
    return used + bound


def is_bound_by_time(query: str) -> bool:
    """Return whether rows outside of the time chosen never matter: corrections come later."""
    return not any(part in query for part in _LATE)
