"""Tells what was spent by whom, and what has no price, corrections included."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

from shared.alerting.rule import bind
from shared.events.columns import ADJUSTMENT, DIMENSIONS
from shared.ports import Table, UsageLog
from shared.pricing.entry import price_entry

MEASURES: Mapping[str, str] = {
    "calls": "sum(Count)",
    "input_tokens": "sum(InputTokens)",
    "output_tokens": "sum(OutputTokens)",
    "cache_read_tokens": "sum(CacheReadTokens)",
    "cache_write_tokens": "sum(CacheWriteTokens)",
    "reasoning_tokens": "sum(ReasoningTokens)",
    "estimated_calls": 'sumif(Moved, CostStatus == "estimated") '
    '- sumif(Moved, OldCostStatus == "estimated")',
    "unpriced_calls": 'sumif(Moved, CostStatus == "unknown") '
    '- sumif(Moved, OldCostStatus == "unknown")',
}
"""Field of a row → its aggregate. An adjustment moves its calls from one status to another."""

LATEST = timedelta(hours=2)
"""How far ahead of now a row may be dated, and to spare."""
DISPLAYED_DIGITS = 12
"""Amounts are shown to the trillionth of a dollar: what is below is the noise of doubles."""

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

SPENT = (
    ROWS
    + f"""| extend Moved = iff(Name == "{ADJUSTMENT}", AdjustedCount, Count)
| extend Micros = tolong(CostUsd * 1e6)
| extend Rest = CostUsd - Micros / 1e6
| summarize Micros = sum(Micros), Rest = sum(Rest),
    {", ".join(f"{k} = {v}" for k, v in MEASURES.items())}
    by """
)
"""Whole millionths are summed as integers, so that only what is left of each call is summed as
doubles: a sum of a million calls is off by less than it shows."""

UNPRICED = f"""let Rows = {ROWS};
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


@dataclass(frozen=True, slots=True)
class Period:
    """From start, up to and without end."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Spending:
    """What one team, model, … spent. values: in the order of `by`, None where calls named none.

    usd: of the calls that have a price; None where no call has one. measures: as MEASURES.
    """

    values: tuple[str | None, ...]
    usd: Decimal | None
    measures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls of one model that have no price.

    missing: what of the call is not known, such as ("usage",).
    add: the entry of config/prices.toml that would price them, its figures left to fill in; None
        where no price would help.
    """

    provider: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    first_seen: datetime
    last_seen: datetime
    missing: tuple[str, ...]
    add: str | None


@dataclass(frozen=True, slots=True)
class Bill:
    """The costs of a period. total_usd: as Spending.usd, of all rows."""

    period: Period
    by: tuple[str, ...]
    rows: tuple[Spending, ...]
    unpriced: tuple[Unpriced, ...]

    @property
    def total_usd(self) -> Decimal | None:
        """Return the sum of what is known; None where there are calls and none has a price."""
        known = [row.usd for row in self.rows if row.usd is not None]
        return sum(known, Decimal(0)) if known or not self.rows else None

    def total(self, measure: str) -> int:
        """Return the sum of a measure."""
        return sum(row.measures[measure] for row in self.rows)


class Costs:
    """Reads the usage log; changes nothing."""

    def __init__(self, log: UsageLog) -> None:
        self._log = log

    def spent(self, period: Period, by: Sequence[str], now: datetime) -> Bill:
        """Return what was spent in the period, dearest first. by: names of DIMENSIONS.

        Raises:
            RetryLater: the log did not answer, or not wholly.
        """
        found = self._ask(SPENT + ", ".join(DIMENSIONS[name] for name in by), period, now)
        rows = sorted(
            (_spending(row, by) for row in found),
            key=lambda row: (-(row.usd or 0), -row.measures["calls"], str(row.values)),
        )
        unpriced = self._ask(UNPRICED, period, now) if _any_unpriced(rows) else ()
        return Bill(period, tuple(by), tuple(rows), tuple(map(_unpriced, unpriced)))

    def _ask(self, query: str, period: Period, now: datetime) -> Iterator[Mapping[str, object]]:
        asked = bind(query, period.start, period.end)
        return named(self._log.query(asked, period.start, now + LATEST))


def named(table: Table) -> Iterator[Mapping[str, object]]:
    """Yield the rows by column name."""
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows)


def _any_unpriced(rows: Sequence[Spending]) -> bool:
    return any(row.measures["unpriced_calls"] for row in rows)


def _spending(row: Mapping[str, object], by: Sequence[str]) -> Spending:
    """A group without one priced call has no cost: what it has no price for is not free."""
    measures = {name: _int(row[name]) for name in MEASURES}
    rest = round(cast("float | None", row["Rest"]) or 0.0, DISPLAYED_DIGITS)
    usd = Decimal(_int(row["Micros"])).scaleb(-6) + Decimal(repr(rest))
    is_unpriced = measures["unpriced_calls"] >= measures["calls"] > 0
    values = tuple(str(row[DIMENSIONS[name]] or "") or None for name in by)
    return Spending(values, None if is_unpriced else usd, measures)


def _unpriced(row: Mapping[str, object]) -> Unpriced:
    first, last = (cast("datetime", row[name]) for name in ("FirstSeen", "LastSeen"))
    provider, model = str(row["Provider"]), str(row["Model"])
    missing = tuple(filter(None, str(row["CostMissing"]).split(",")))
    day = first.astimezone(UTC).date()
    return Unpriced(
        provider=provider,
        model=model,
        calls=_int(row["Calls"]),
        input_tokens=_int(row["InputTokens"]),
        output_tokens=_int(row["OutputTokens"]),
        first_seen=first,
        last_seen=last,
        missing=missing,
        add=price_entry(provider, model, day, missing),
    )


def _int(value: object) -> int:
    return int(cast("int | None", value) or 0)
