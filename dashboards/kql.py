"""Fills in the placeholders of a panel's query, for Workbooks or for Grafana."""

import re
from dataclasses import dataclass

from shared.usecases.costs import MEASURES, ROWS, UNPRICED


def key(*columns: str) -> str:
    """Return the KQL of what stands for a row where it is chosen, never empty.

    Names come with events, from anybody: as Base64, none can end the string that it is put into.
    """
    parts = ", ".join(f'"\\n", {column}' for column in columns)
    return f"base64_encode_tostring(strcat({parts}))"


def _toml(column: str) -> str:
    """Return the KQL of a name as it stands in a string of TOML."""
    backslash, quote = "\\\\", '\\"'
    escaped = f'replace_string({column}, "{backslash}", "{backslash * 2}")'
    return f'replace_string({escaped}, "{quote}", "{backslash}{quote}")'


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a product writes what was chosen. step: the width of a chart's bins, a timespan.

    teams, environments: lists of the keys that were chosen, of dynamic type; "*" is all.
    chosen: the key of the row that was chosen in another panel, by the name of its parameter.
    """

    start: str
    end: str
    step: str
    teams: str
    environments: str
    chosen: str


WORKBOOK = Dialect(
    "{TimeRange:start}",
    "{TimeRange:end}",
    "{TimeRange:grain}",
    "dynamic([{Team}])",
    "dynamic([{Environment}])",
    r"'{\1}'",
)
GRAFANA = Dialect(
    "$__timeFrom()",
    "$__timeTo()",
    "$__interval",
    "dynamic([${Team:singlequote}])",
    "dynamic([${Environment:singlequote}])",
    r"'${\1:raw}'",
)

COSTS = f"""{ROWS.rstrip()}
| where {{scope}}
| extend Moved = iff(Name == "llm.call", Count, AdjustedCount)"""
"""Model calls and their corrections by the time of the call: sums of CostUsd are right, Count is 0
in a correction, and Moved is the number of calls that it moves from OldCostStatus to CostStatus."""

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

UNPRICED_CALLS = f"""\
{UNPRICED.rstrip().replace("Name in (", "{scope} and Name in (", 1)}
| extend Seller = {_toml("Provider")}, Named = {_toml("Model")}
| project Provider, Model, Calls, InputTokens, OutputTokens, FirstSeen, LastSeen, CostMissing,
    Add = iff(CostMissing has "usage", "no price helps: the calls do not tell their usage",
        strcat("[[price]]\\nprovider = \\"", Seller, "\\"\\nmodel = \\"", Named, "\\"\\nfrom = ",
        format_datetime(FirstSeen, "yyyy-MM-dd"), "\\nsource = \\"\\"\\ninput =\\noutput ="))"""
"""Models without a price, and the entry that would price them, its figures left to fill in."""

_PARTS = {
    "{unpriced_calls}": UNPRICED_CALLS,
    "{costs}": COSTS,
    "{rates}": RATES,
    "{unpriced}": MEASURES["unpriced_calls"],
    "{estimated}": MEASURES["estimated_calls"],
    "{scope}": "{team} and {environment}",
    "{team}": f'(array_length(Teams) == 0 or "*" in (Teams) or {key("TeamId")} in (Teams))',
    "{environment}": "(array_length(Environments) == 0 or "
    f'"*" in (Environments) or {key("Environment")} in (Environments))',
}
_KEY = re.compile(r"\{key ([\w, ]+)\}")
_CHOSEN = re.compile(r"'\{(\w+)\}'")
_LATE = ("{costs}", "{unpriced_calls}")


def bind(query: str, dialect: Dialect) -> str:
    """Return the query as the product takes it.

    {start}, {end}: the time that was chosen. {step}: the width of a bin. {scope}: the teams and
    environments that were chosen, {environment}: the latter alone, for what belongs to no team.
    {key A, B}: what stands for these columns of a row where it is chosen. {costs}, {rates},
    {unpriced}, {estimated}: as above. '{Name}': the row that was chosen, see Panel.exports.
    """
    bound = query.strip()
    for name, text in _PARTS.items():
        bound = bound.replace(name, text)
    bound = _KEY.sub(lambda found: key(*found[1].split(", ")), bound)
    bound = _CHOSEN.sub(dialect.chosen, bound)
    lets = (("Teams", dialect.teams), ("Environments", dialect.environments))
    used = "".join(f"let {name} = {value};\n" for name, value in lets if f"({name})" in bound)
    for name, text in (("start", dialect.start), ("end", dialect.end), ("step", dialect.step)):
        bound = bound.replace(f"{{{name}}}", text)
    return used + bound


def is_bound_by_time(query: str) -> bool:
    """Tell whether rows outside of the time chosen never matter: corrections come later."""
    return not any(part in query for part in _LATE)


def choices(column: str, label: str) -> str:
    """Return the query whose rows can be chosen from: value, a key, and its name as `label`."""
    return f"""
UsageEvents
| where TimeGenerated >= {{start}} and TimeGenerated < {{end}}
| distinct {column}
| order by {column} asc
| take 1000
| project value = {key(column)}, {label} = iff(isempty({column}), "(none)", {column})"""
