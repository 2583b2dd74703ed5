"""The KQL that answers a question about costs: rows, the rest, buckets and both periods at once."""

from collections.abc import Iterator, Mapping

from shared.alerting.rule import moment_literal
from shared.events.columns import ADJUSTMENT
from shared.metrics.own import UNREAD_SCOPES
from shared.usecases.spending.period import Period
from shared.usecases.spending.question import SPLIT_BY, Question, Scope

MEASURES: Mapping[str, str] = {
    "calls": "sum(Count)",
    "input_tokens": "sum(InputTokens)",
    "output_tokens": "sum(OutputTokens)",
    "cache_read_tokens": "sum(CacheReadTokens)",
    "cache_write_tokens": "sum(CacheWriteTokens)",
    "reasoning_tokens": "sum(ReasoningTokens)",
    "estimated_calls": 'sumif(Count, CostStatus == "estimated")',
    "unpriced_calls": 'sumif(Count, CostStatus == "unknown")',
}
"""Field of a row → its aggregate over calls as they stand after all corrections."""
MOST_UNREAD = 20
"""Scopes that are named."""
PRICED_TOKENS = "priced_tokens"
SUMS: Mapping[str, str] = {
    "Micros": "sum(Micros)",
    "Rest": "sum(Rest)",
    **MEASURES,
    PRICED_TOKENS: 'sumif(InputTokens, CostStatus != "unknown") '
    '+ sumif(OutputTokens, CostStatus != "unknown")',
}
"""Whole millionths are summed as integers, so that only what is left of each call is summed as
doubles: a sum of a million calls is off by less than it shows."""

HAPPENED = """UsageEvents
| where TimeGenerated >= {start}
| extend At = min_of(coalesce(todatetime(OccurredAt), TimeGenerated), TimeGenerated)
| where At >= {start} and At < {end}
"""
"""Events by the time at which they happened.

A row that came too late for Azure stands at a later TimeGenerated and names its own time, so the
end of the period is no limit for TimeGenerated. A time ahead of TimeGenerated is not believed.
"""

ROWS = HAPPENED + f'| where Name in ("llm.call", "{ADJUSTMENT}")\n'
"""Model calls and their adjustments."""

UNPRICED_MOVES = 'sumif(Moved, CostStatus == "unknown") - sumif(Moved, OldCostStatus == "unknown")'
ESTIMATED_MOVES = (
    'sumif(Moved, CostStatus == "estimated") - sumif(Moved, OldCostStatus == "estimated")'
)
"""Over ROWS: an adjustment moves its calls from one status to another."""

CORRECTED = f"""| where Name == "llm.call"{{scope}}
| join kind=leftouter (UsageEvents
    | where TimeGenerated >= {{start}} and Name == "{ADJUSTMENT}"
    | project Source, EventId = Adjusts, Revision, NewStatus = CostStatus, NewUsd = NewCostUsd,
        NewMissing = CostMissing
    | summarize arg_max(Revision, NewStatus, NewUsd, NewMissing) by Source, EventId
    ) on Source, EventId
| extend CostUsd = iff(isnotempty(NewStatus), todouble(NewUsd), CostUsd),
    CostMissing = iff(isnotempty(NewStatus), NewMissing, CostMissing),
    CostStatus = iff(isnotempty(NewStatus), NewStatus, CostStatus){{of_calls}}
"""
"""What goes on HAPPENED to have each call once, with the cost of its last correction."""

_USD = "iff({u} >= {c} and {c} > 0, real(null), todouble({m}) / 1e6 + {r})"
_NOW = {"u": "unpriced_calls", "c": "calls", "m": "Micros", "r": "Rest"}
_WAS = {key: f"Was{name}" for key, name in _NOW.items()}
SORTS: Mapping[str, str] = {
    "cost": "Usd",
    "previous": "WasUsd",
    "change": "abs(coalesce(Usd, 0.0) - coalesce(WasUsd, 0.0))",
    "cost_per_call": "Usd / iff(calls > unpriced_calls, calls - unpriced_calls, long(null))",
    **{name: f"todouble({name})" for name in MEASURES},
    "name": "0.0",
}
"""What rows are sorted by → its KQL; the largest come first by default."""


def calls_query(scope: Scope) -> str:
    """Return the KQL of the calls of the scope, corrected; {start} and {end} are yet to be put
    in."""
    kept = CORRECTED.replace("{scope}", scope.of_events())
    return HAPPENED + kept.replace("{of_calls}", scope.of_calls())


def unpriced_query(condition: str = "") -> str:
    """Return the KQL of the models without a price, the most called first.

    condition: lines that narrow model calls and their corrections down.
    """
    return f"""let Rows = {ROWS.rstrip()}{condition};
let Moves = Rows
| where Name == "{ADJUSTMENT}" and (CostStatus == "unknown" or OldCostStatus == "unknown")
| summarize Net = sumif(AdjustedCount, CostStatus == "unknown")
    - sumif(AdjustedCount, OldCostStatus == "unknown") by Source, EventId = Adjusts;
let Became = Moves | where Net > 0 | project EventId;
Rows
| where Name == "llm.call" and (CostStatus == "unknown" or EventId in (Became))
| join kind=leftouter Moves on Source, EventId
| extend Unpriced = iff(CostStatus == "unknown", Count, 0) + coalesce(Net, 0)
| where Unpriced > 0
| summarize Calls = sum(Unpriced), InputTokens = sum(InputTokens), OutputTokens = sum(OutputTokens),
    FirstSeen = min(At), LastSeen = max(At) by Provider, Model, CostMissing
| order by Calls desc, Provider asc, Model asc
"""


def spent_query(question: Question) -> str:
    """Return the KQL of the whole answer, each row of one Kind.

    spent: sums of a row (InTop) or of all others, of the period or (Was) of the one before, by
    bucket. groups: how many rows there are in all. missions, all_missions: how many were named by
    calls of a row, or at all, and what they cost. unread: how many spans of the scope K1 count
    tokens in unknown words.
    """
    start, end = (moment_literal(at) for at in (question.period.start, question.period.end))
    return f"""let Calls = {calls_query(question.scope)}{"".join(_extended(question))};
let Spent = materialize(Calls
| extend Micros = tolong(CostUsd * 1e6)
| extend Rest = CostUsd - Micros / 1e6
| summarize {_listed(SUMS)}
    by Was, Slot, K1, K2);
let Missions = materialize(Calls
| where not(Was) and isnotempty(MissionId)
| summarize Usd = sum(CostUsd) by K1, K2, MissionId);
let Top = Spent
| summarize {_listed(_both())} by K1, K2
| extend Usd = {_USD.format(**_NOW)}, WasUsd = {_USD.format(**_WAS)}
| extend Sort = {"-1.0 * " if question.ascending else ""}({SORTS[question.sort]})
| order by {_order(question)}
| take {question.offset + question.top}
| project K1, K2, Sort, Top = 1;
union (Spent
| join kind=leftouter Top on K1, K2
| extend InTop = isnotnull(Top)
| summarize {_listed({name: f"sum({name})" for name in SUMS})}
    by Kind = "spent", InTop, Was, Slot, K1 = iff(InTop, K1, ""), K2 = iff(InTop, K2, ""), Sort
), (Spent
| summarize by K1, K2
| summarize calls = count() by Kind = "groups"
), (Missions
| join kind=inner Top on K1, K2
| summarize calls = count(), Rest = sum(Usd) by Kind = "missions", InTop = true, K1, K2
), (Missions
| summarize Usd = sum(Usd) by MissionId
| summarize calls = count(), Rest = sum(Usd) by Kind = "all_missions"
), (AppMetrics
| where TimeGenerated >= {start} and TimeGenerated < {end} and Name == "{UNREAD_SCOPES.name}"
| summarize calls = tolong(sum(Sum)) by Kind = "unread", K1 = tostring(Properties["scope"])
| top {MOST_UNREAD} by calls)
"""


def _extended(question: Question) -> Iterator[str]:
    """Yield the lines that separate the periods and name rows and buckets."""
    start = moment_literal(question.period.start)
    was = question.before
    if was:
        yield f"| where At < {moment_literal(was.end)} or At >= {start}\n"
    if question.buckets:
        yield question.buckets.extended(question.period)
    slot = "Slot" if question.buckets else start
    yield f"| extend Was = {f'At < {start}' if was else 'false'}\n"
    keys = [_key(SPLIT_BY[name]) for name in question.by] + ['""']
    yield f"| extend Slot = iff(Was, {start}, {slot}), K1 = {keys[0]}, K2 = {keys[1]}"


def _key(column: str) -> str:
    return f'iff(isempty({column}), "", {column})'


def _listed(aggregates: Mapping[str, str]) -> str:
    return ",\n    ".join(f"{name} = {aggregate}" for name, aggregate in aggregates.items())


def _both() -> Mapping[str, str]:
    """Return the sums of either period by name; those of the one before begin with Was."""
    return {
        f"{before}{name}": f"coalesce(sumif({name}, {when}), {zero})"
        for before, when in (("", "not(Was)"), ("Was", "Was"))
        for name, zero in (("Micros", "0"), ("Rest", "0.0"), *((name, "0") for name in MEASURES))
    }


def _order(question: Question) -> str:
    if question.sort == "name":
        way = "asc" if question.ascending else "desc"
        return f"K1 {way}, K2 {way}"
    return "Sort desc nulls last, calls desc, K1 asc, K2 asc"


def span_of(question: Question) -> Period:
    """Return the time that holds the period and the one before."""
    period, was = question.period, question.before
    return Period(min(period.start, was.start), period.end) if was else period
