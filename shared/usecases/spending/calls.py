"""Lists the model calls that a cost is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.alerting.rule import bind
from shared.ports import UsageLog
from shared.usecases.spending.costs import LATEST, Row, named
from shared.usecases.spending.period import Period
from shared.usecases.spending.question import EVERYTHING, Scope
from shared.usecases.spending.ranked import ranked
from shared.usecases.spending.spent_query import calls_query

CALL_SORTS: Mapping[str, str] = {
    "cost": "CostUsd",
    "time": "At",
    "tokens": "coalesce(InputTokens, 0) + coalesce(OutputTokens, 0)",
    "duration": "DurationS",
}
FARTHEST = 10_000
"""How far the list goes: what comes after is to be narrowed down to."""
COLUMNS: Mapping[str, str] = {
    "at": "At",
    "id": "EventId",
    "source": "Source",
    "team": "TeamId",
    "agent_type": "AgentType",
    "agent": "AgentId",
    "mission": "MissionId",
    "conversation": "ConversationId",
    "provider": "Provider",
    "model": "Model",
    "status": "Status",
    "error_type": "ErrorType",
    "calls": "Count",
    "input_tokens": "InputTokens",
    "output_tokens": "OutputTokens",
    "cache_read_tokens": "CacheReadTokens",
    "duration_s": "DurationS",
    "cost_usd": "CostUsd",
    "cost_status": "CostStatus",
    "missing": "CostMissing",
    "trace": "OperationId",
}
"""Each field of a call → the column that it is in; a text that is not there is ""."""


@dataclass(frozen=True, slots=True)
class CallQuestion:
    """Which calls, and which rows of them. sort: a name of CALL_SORTS, the largest first."""

    period: Period
    scope: Scope = EVERYTHING
    sort: str = "cost"
    ascending: bool = False
    top: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Calls:
    """rows: as COLUMNS. count: how many rows there are in all."""

    rows: tuple[Row, ...]
    count: int


class CallList:
    """Reads the usage log; changes nothing."""

    def __init__(self, log: UsageLog) -> None:
        self._log = log

    def find(self, question: CallQuestion, now: datetime) -> Calls:
        """Return the calls, corrected.

        Raises:
            RetryLater: the log did not answer, or not wholly.
        """
        period = question.period
        asked = bind(call_query(question), period.start, period.end)
        found = list(named(self._log.query(asked, period.start, now + LATEST)))
        return Calls(*ranked(found, "call", COLUMNS, question.offset, "At", "EventId"))


def call_query(question: CallQuestion) -> str:
    """Return the KQL of the first rows up to those wanted, and of how many there are."""
    sort = CALL_SORTS[question.sort]
    value = "(At - datetime(2000-01-01)) / 1s" if question.sort == "time" else f"todouble({sort})"
    sign = "-1.0 * " if question.ascending else ""
    return f"""let Calls = {calls_query(question.scope)};
union (Calls
| extend Sort = {sign}({value})
| order by Sort desc nulls last, At desc, EventId asc
| take {question.offset + question.top}
| project Kind = "call", Sort, {", ".join(COLUMNS.values())}
), (Calls
| summarize Count = count() by Kind = "count")
"""
