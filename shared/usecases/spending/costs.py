"""Sums what was spent, by owner or model, corrections included, and counts what has no price."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

from shared.alerting.rule import bind
from shared.ports import Table, UsageLog
from shared.pricing.entry import price_entry
from shared.usecases.spending.bill import (
    Amount,
    Bill,
    Missions,
    Spending,
    Unpriced,
    amount,
    dollars,
    forecast,
)
from shared.usecases.spending.period import Period
from shared.usecases.spending.question import COST_STATUS, Question, Scope
from shared.usecases.spending.spent_query import span_of, spent_query, unpriced_query

LATEST = timedelta(hours=2)
"""How far ahead of now a row may be dated, and to spare."""
MOST_UNPRICED = 100
"""How many models without a price are named at most."""

Row = Mapping[str, object]
Keys = tuple[str, str]


class Costs:
    """Reads the usage log; changes nothing."""

    def __init__(self, log: UsageLog) -> None:
        self._log = log

    def spent(self, question: Question, now: datetime) -> Bill:
        """Return what was spent.

        Raises:
            RetryLater: the log did not answer, or not wholly.
        """
        found = list(self._ask(spent_query(question), span_of(question), now))
        bill = _Reader(question, now).bill(found)
        if not (bill.total.now.measures["unpriced_calls"] and _may_be_unpriced(question.scope)):
            return bill
        query = f"{unpriced_query(question.scope.of_events())}| take {MOST_UNPRICED}"
        unpriced = self._ask(query, question.period, now)
        return replace(bill, unpriced=tuple(map(_unpriced, unpriced)))

    def _ask(self, query: str, period: Period, now: datetime) -> Iterator[Row]:
        asked = bind(query, period.start, period.end)
        return named(self._log.query(asked, period.start, now + LATEST))


def named(table: Table) -> Iterator[Row]:
    """Yield the rows by column name."""
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows)


class _Reader:
    """Reads the rows that spent_query answers."""

    def __init__(self, question: Question, now: datetime) -> None:
        self._question = question
        self._now = now
        self._starts = self._buckets()

    def bill(self, found: Sequence[Row]) -> Bill:
        """Return the bill, what has no price left out."""
        kinds: dict[object, list[Row]] = defaultdict(list)
        for row in found:
            kinds[row["Kind"]].append(row)
        groups: dict[Keys | None, list[Row]] = defaultdict(list)
        for row in kinds["spent"]:
            groups[_keys(row) if row["InTop"] else None].append(row)
        question = self._question
        missions = {_keys(row): _missions(row) for row in kinds["missions"]}
        order = self._sorted(groups)
        shown = order[question.offset : question.offset + question.top]
        others = [row for keys, rows in groups.items() if keys not in shown for row in rows]
        total = self._spending((), kinds["spent"], _missions(*kinds["all_missions"][:1]))
        count = sum(_int(row["calls"]) for row in kinds["groups"])
        return Bill(
            question=question,
            rows=tuple(
                self._spending(keys, groups[keys], missions.get(keys, Missions())) for keys in shown
            ),
            rest=self._spending((), others, None) if count > len(shown) else None,
            total=total,
            groups=count,
            buckets=tuple(self._starts),
            forecast_usd=forecast(total.now, question.period, self._now),
            unpriced=(),
            unread={str(row["K1"]): _int(row["calls"]) for row in kinds["unread"]},
        )

    def _buckets(self) -> list[datetime]:
        buckets, period = self._question.buckets, self._question.period
        if buckets is None:
            return []
        return buckets.starts(Period(period.start, max(min(period.end, self._now), period.start)))

    def _sorted(self, groups: Mapping[Keys | None, list[Row]]) -> list[Keys]:
        """Return the keys of the rows in the order of the query."""
        keys = [one for one in groups if one is not None]
        if self._question.sort == "name":
            return sorted(keys, reverse=not self._question.ascending)
        return sorted(keys, key=lambda one: (*_place(groups[one]), one))

    def _spending(
        self, keys: Sequence[str], rows: list[Row], missions: Missions | None
    ) -> Spending:
        now = [row for row in rows if not row["Was"]]
        before = amount(row for row in rows if row["Was"]) if self._question.before else None
        values = tuple(key or None for key in keys[: len(self._question.by)])
        return Spending(values, amount(now), before, tuple(self._series(now)), missions)

    def _series(self, rows: list[Row]) -> Iterator[Amount]:
        """Yield the amount of each bucket."""
        if self._question.buckets is None:
            return
        slots: dict[datetime, list[Row]] = defaultdict(list)
        for row in rows:
            start = self._question.buckets.start_of(cast("datetime", row["Slot"]))
            slots[min(start, self._starts[-1])].append(row)  # none is ahead of now
        for start in self._starts:
            yield amount(slots[start])


def _keys(row: Row) -> Keys:
    return str(row["K1"] or ""), str(row["K2"] or "")


def _place(rows: Sequence[Row]) -> tuple[bool, float, int]:
    """Return where a row stands: the largest first, those with nothing to sort by last."""
    sort = cast("float | None", rows[0]["Sort"])
    calls = sum(cast("int | None", row["calls"]) or 0 for row in rows if not row["Was"])
    return sort is None, -(sort or 0), -calls


def _missions(row: Row | None = None) -> Missions:
    return Missions(cast("int", row["calls"]), dollars(row["Rest"])) if row else Missions()


def _may_be_unpriced(scope: Scope) -> bool:
    only, without = scope.only.get(COST_STATUS), scope.without.get(COST_STATUS, ())
    return (only is None or "unknown" in only) and "unknown" not in without


def _unpriced(row: Row) -> Unpriced:
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
