"""Shows what agents did in a trace, a mission or a conversation: each step, its cost, the whole."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from shared.alerting.budget_rules import literal
from shared.errors import NotFound
from shared.events.columns import ADJUSTMENT
from shared.ports import UsageLog
from shared.usecases.spending.costs import LATEST, named

Kind = Literal["trace", "mission", "conversation"]
COLUMNS: Mapping[Kind, str] = {
    "trace": "OperationId",
    "mission": "MissionId",
    "conversation": "ConversationId",
}
MOST_STEPS = 1_000
KEPT = timedelta(days=3_650)
FIELDS: Mapping[str, str] = {
    "at": "TimeGenerated",
    "type": "Name",
    "id": "EventId",
    "source": "Source",
    "trace": "OperationId",
    "parent": "ParentId",
    "team": "TeamId",
    "agent": "AgentId",
    "agent_type": "AgentType",
    "provider": "Provider",
    "model": "Model",
    "operation": "Operation",
    "status": "Status",
    "error_type": "ErrorType",
    "duration_s": "DurationS",
    "calls": "Count",
    "input_tokens": "InputTokens",
    "output_tokens": "OutputTokens",
    "cost_usd": "CostUsd",
    "cost_status": "CostStatus",
    "corrections": "Revision",
    "corrected": "Reason",
    "corrected_by": "Who",
    "old_cost_usd": "OldCostUsd",
}
"""Each field of an event → its column."""
BAD = ("error", "failed", "timeout")
Shown = dict[str, object]
Row = Mapping[str, object]


@dataclass(frozen=True)
class Work:
    """Reads the log; changes nothing."""

    log: UsageLog

    def show(self, kind: Kind, id: str, now: datetime) -> Shown:
        """Return the steps as a tree by parent span, and what they come to, as JSON values.

        At most 1,000 steps are listed, the first ones; the totals are of all.
        Raises:
            NotFound: no event has this id.
            RetryLater: the log did not answer.
        """
        where = f"UsageEvents\n| where {COLUMNS[kind]} == {literal(id)}"
        (total,) = self._ask(f"{where}\n{TOTALS}", now)
        if not total["Events"]:
            raise NotFound(
                f"No event names the {kind} {id[:200]!r}. Check the id; a new event is found "
                "within a minute or two."
            )
        events = list(self._ask(f"{where}\n{STEPS}", now))
        traces = {str(row["OperationId"]) for row in events if row["OperationId"]}
        spans = list(self._ask(_spans_query(sorted(traces)), now)) if traces else []
        return {
            "kind": kind,
            "id": id,
            **_totals(total),
            "listed": len(events),
            "steps": _tree(events, spans),
        }

    def _ask(self, query: str, now: datetime) -> Iterator[Row]:
        return named(self.log.query(query, now - KEPT, now + LATEST))


TOTALS = f"""| summarize Events = countif(Name != "{ADJUSTMENT}"),
    Calls = sumif(Count, Name == "llm.call"), Usd = sum(CostUsd),
    Unpriced = sumif(Count, Name == "llm.call" and CostStatus == "unknown"),
    Repriced = sumif(AdjustedCount, OldCostStatus == "unknown" and CostStatus != "unknown"),
    Input = sum(InputTokens), Output = sum(OutputTokens),
    Errors = sumif(Count, Name == "error" or Status in ({", ".join(map(literal, BAD))})),
    First = min(TimeGenerated), Last = max(TimeGenerated + 1s * coalesce(DurationS, 0.0))"""
STEPS = f"""| where Name != "{ADJUSTMENT}"
| order by TimeGenerated asc, EventId asc
| take {MOST_STEPS}
| project {", ".join(FIELDS.values())}"""


def _spans_query(traces: Sequence[str]) -> str:
    """Return what asks for the spans of these traces."""
    return f"""AppDependencies
| where OperationId in ({", ".join(map(literal, traces[:100]))})
| order by TimeGenerated asc
| take {MOST_STEPS}
| project TimeGenerated, Id, ParentId, OperationId, Name, DurationMs, Success"""


def _totals(row: Row) -> Shown:
    calls, unpriced = (_int(row[name]) for name in ("Calls", "Unpriced"))
    unpriced = max(0, unpriced - _int(row["Repriced"]))
    first, last = (cast("datetime", row[name]) for name in ("First", "Last"))
    return {
        "from": first.isoformat(),
        "duration_s": (last - first).total_seconds(),
        "events": _int(row["Events"]),
        "calls": calls,
        "cost_usd": None if unpriced >= calls > 0 else float(cast("float | None", row["Usd"]) or 0),
        "unpriced_calls": unpriced,
        "input_tokens": _int(row["Input"]),
        "output_tokens": _int(row["Output"]),
        "errors": _int(row["Errors"]),
    }


def _tree(events: Sequence[Row], spans: Sequence[Row]) -> list[Shown]:
    """Put events under the spans that they name, and spans under theirs, in the order of time."""
    nodes: dict[str, Shown] = {str(span["Id"]): _span(span) for span in spans}
    children: dict[str, list[Shown]] = defaultdict(list)
    roots: list[Shown] = []
    for span in spans:
        parent = str(span["ParentId"] or "")
        own = nodes[str(span["Id"])]
        (children[parent] if parent in nodes and parent != span["Id"] else roots).append(own)
    for event in events:
        step = _event(event)
        parent = str(event["ParentId"] or "")
        own = nodes.get(parent)
        if own is not None and event["EventId"] == f"{event['OperationId']}:{parent}":
            own.update({key: step[key] for key in step if key != "at"})  # the span's own record
        else:
            (children[parent] if own is not None else roots).append(step)
    for id, node in nodes.items():
        node["steps"] = sorted(children[id], key=_at)
    return sorted(roots, key=_at)


def _at(step: Shown) -> str:
    return str(step["at"])


def _span(row: Row) -> Shown:
    at = cast("datetime", row["TimeGenerated"])
    return {
        "at": at.isoformat(),
        "type": "span",
        "name": row["Name"],
        "duration_s": float(cast("float | None", row["DurationMs"]) or 0) / 1000,
        "status": "success" if row["Success"] else "error",
    }


def _event(row: Row) -> Shown:
    """Return the step; what it has not is left out, but for the cost of a call."""
    shown: Shown = {key: row[column] for key, column in FIELDS.items()}
    shown["at"] = cast("datetime", shown["at"]).isoformat()
    is_call = row["Name"] == "llm.call"
    kept = {k: v for k, v in shown.items() if v not in (None, "") or (is_call and k == "cost_usd")}
    return {**kept, "steps": list[Shown]()}


def _int(value: object) -> int:
    return int(cast("float | None", value) or 0)
