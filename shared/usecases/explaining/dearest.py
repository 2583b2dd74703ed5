"""Lists the traces, missions or conversations that cost most."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.alerting.budget_rules import literal
from shared.alerting.rule import bind
from shared.ports import UsageLog
from shared.usecases.explaining.work import BAD, COLUMNS, Kind
from shared.usecases.spending.calls import CallQuestion
from shared.usecases.spending.costs import LATEST, Row, named
from shared.usecases.spending.ranked import ranked
from shared.usecases.spending.spent_query import calls_query

WORK_SORTS: Mapping[str, str] = {
    "cost": "Usd",
    "calls": "Calls",
    "tokens": "Input + Output",
    "errors": "Errors",
    "duration": "Seconds",
}
FIELDS: Mapping[str, str] = {
    "id": "Id",
    "team": "Team",
    "agents": "Agents",
    "from": "First",
    "duration_s": "Seconds",
    "calls": "Calls",
    "cost_usd": "Usd",
    "unpriced_calls": "Unpriced",
    "input_tokens": "Input",
    "output_tokens": "Output",
    "errors": "Errors",
}
"""Each field of one → its column. Errors are model calls that failed."""


@dataclass(frozen=True, slots=True)
class WorkList:
    """rows: as FIELDS. count: how many there are in all."""

    rows: tuple[Row, ...]
    count: int


@dataclass(frozen=True)
class Dearest:
    """Reads the log; changes nothing."""

    log: UsageLog

    def find(self, kind: Kind, question: CallQuestion, now: datetime) -> WorkList:
        """Return what the calls of the period were made for, the dearest first.

        question.sort: a name of WORK_SORTS.
        Raises:
            RetryLater: the log did not answer, or not wholly.
        """
        period = question.period
        asked = bind(work_query(kind, question), period.start, period.end)
        found = list(named(self.log.query(asked, period.start, now + LATEST)))
        return WorkList(*ranked(found, "work", FIELDS, question.offset, "First", "Id"))


def work_query(kind: Kind, question: CallQuestion) -> str:
    """Return the KQL of the first rows up to those wanted, and of how many there are."""
    sign = "-1.0 * " if question.ascending else ""
    failed = ", ".join(map(literal, BAD))
    return f"""let Work = materialize({calls_query(question.scope)}
| where isnotempty({COLUMNS[kind]})
| extend End = At + 1s * coalesce(DurationS, 0.0)
| summarize Calls = sum(Count), Usd = sum(CostUsd),
    Unpriced = sumif(Count, CostStatus == "unknown"), Errors = sumif(Count, Status in ({failed})),
    Input = sum(InputTokens), Output = sum(OutputTokens),
    First = min(At), End = max(End), Team = max(TeamId), Agents = dcount(AgentId)
    by Id = {COLUMNS[kind]}
| extend Usd = iff(Unpriced >= Calls, real(null), Usd), Seconds = (End - First) / 1s);
union (Work
| extend Sort = {sign}todouble({WORK_SORTS[question.sort]})
| order by Sort desc nulls last, First desc, Id asc
| take {question.offset + question.top}
| project Kind = "work", Sort, {", ".join(FIELDS.values())}
), (Work
| summarize Count = count() by Kind = "count")
"""
