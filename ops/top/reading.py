"""What `ops top` shows: what the fleet does and costs now, by what the log and the API say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ops.console.api import call
from ops.console.stack import Api
from shared.alerting.rule import bind
from shared.errors import AgentmeterError
from shared.ports import UsageLog
from shared.usecases.spending.bill import Bill
from shared.usecases.spending.costs import LATEST, Costs, named
from shared.usecases.spending.period import Period
from shared.usecases.spending.question import Question
from shared.usecases.spending.spent_query import ROWS

CALLS = """| summarize Calls = sum(Count), Failed = sumif(Count, Status == "error"),
    Unpriced = sumif(Count, CostStatus == "unknown"), Usd = sum(CostUsd),
    P95 = percentilew(DurationS, Count, 95)"""
TOTAL = ROWS + CALLS
BY_MODEL = f"{ROWS}{CALLS} by Provider, Model\n| top 12 by Usd desc"
BY_TEAM = f"{ROWS}{CALLS} by TeamId\n| top 8 by Usd desc"
BY_MINUTE = f"{ROWS}| summarize Usd = sum(CostUsd) by Minute = bin(At, 1m)"
QUERIES = (TOTAL, BY_MODEL, BY_TEAM, BY_MINUTE)
SLOWLY = timedelta(minutes=1)
"""How often the sums of the day and the month are asked for anew: they read much."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The fleet at a moment.

    last: the time that total, models, teams and minutes are of; minutes: dollars of each minute.
    today_usd, month_usd: by UTC; None where calls were made and none has a price.
    problems: what could not be asked, and why; its part is empty.
    """

    at: datetime
    last: timedelta
    total: Row
    models: Sequence[Row]
    teams: Sequence[Row]
    minutes: Sequence[float]
    today_usd: float | None
    month_usd: float | None
    unpriced_month: int
    alerts: Sequence[Row]
    waiting_pages: int
    budgets: Sequence[Row]
    problems: Sequence[str]


@dataclass
class Slow:
    """What is remembered from one snapshot to the next, for a minute."""

    at: datetime | None = None
    bills: tuple[Bill, Bill] | None = None
    budgets: Row = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Reading:
    """Asks for snapshots. api: raises where none is known, and then there is less to see."""

    log: UsageLog
    api: Callable[[], Api]
    last: timedelta
    slow: Slow

    def snapshot(self, now: datetime) -> Snapshot:
        """Return the fleet at this moment.

        Raises:
            AgentmeterError: the log gives no answer.
        """
        problems: list[str] = []
        total, models, teams, minutes = (list(self._ask(query, now)) for query in QUERIES)
        alerts = self._of_api("/api/alerts", problems)
        today, month = self._slowly(now, problems)
        return Snapshot(
            at=now,
            last=self.last,
            total=total[0],
            models=models,
            teams=teams,
            minutes=_minutes(minutes, now, self.last),
            today_usd=_usd(today),
            month_usd=_usd(month),
            unpriced_month=month.total.now.measures["unpriced_calls"],
            alerts=alerts.get("alerts", ()),
            waiting_pages=alerts.get("waiting_pages", 0),
            budgets=self.slow.budgets.get("budgets", ()),
            problems=sorted(set(problems)),
        )

    def _ask(self, query: str, now: datetime) -> Iterator[Row]:
        start = now - self.last
        return named(self.log.query(bind(query, start, now), start, now + LATEST))

    def _slowly(self, now: datetime, problems: list[str]) -> tuple[Bill, Bill]:
        """Return the bills of the day and of the month so far, at most a minute old."""
        slow = self.slow
        if slow.bills is None or slow.at is None or now - slow.at >= SLOWLY:
            day = now.replace(hour=0, minute=0, second=0, microsecond=0)
            costs = Costs(self.log)
            slow.bills = (
                costs.spent(Question(Period(day, now)), now),
                costs.spent(Question(Period(day.replace(day=1), now)), now),
            )
            slow.budgets = self._of_api("/api/budgets", problems)
            slow.at = now
        return slow.bills

    def _of_api(self, path: str, problems: list[str]) -> Row:
        """Return what the API answers; nothing, and the problem noted, where it does not."""
        try:
            return call(self.api(), "GET", path)
        except AgentmeterError as exc:
            problems.append(f"Alerts and budgets are not known. {exc}")
            return {}


def _usd(bill: Bill) -> float | None:
    usd = bill.total.now.usd
    return None if usd is None else float(usd)


def _minutes(rows: Sequence[Row], now: datetime, last: timedelta) -> list[float]:
    """Return the dollars of each whole minute, the oldest first."""
    first = (now - last).replace(second=0, microsecond=0)
    spent = {row["Minute"]: float(row["Usd"] or 0) for row in rows}
    count = int(last.total_seconds() // 60) + 1
    return [spent.get(first + timedelta(minutes=n), 0.0) for n in range(count)]
