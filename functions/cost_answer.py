"""Writes what costs come to, as JSON or CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from shared.pricing.entry import plain
from shared.usecases.explaining.dearest import WorkList
from shared.usecases.spending.bill import Amount, Bill, Spending, Unpriced
from shared.usecases.spending.calls import CallQuestion, Calls
from shared.usecases.spending.period import Period
from shared.usecases.spending.spent_query import MEASURES

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""
RATES = (
    "share_percent",
    "missions",
    "cost_per_call_usd",
    "cost_per_1k_tokens_usd",
    "cost_per_mission_usd",
)
CHANGES = ("previous_usd", "previous_calls", "change_usd", "change_percent", "trend")
REST = "(rest)"


def bill_json(bill: Bill, zone: ZoneInfo) -> dict[str, object]:
    """Return the bill as JSON values."""
    question, total = bill.question, bill.total
    starts = {"buckets": [_local(at, zone) for at in bill.buckets]} if question.buckets else {}
    figures = _figures(bill, total)
    return {
        **_bounds(question.period),
        "timezone": zone.key,
        "by": ",".join(question.by),
        "total_usd": figures.pop("cost_usd"),
        **figures,
        "forecast_usd": _number(bill.forecast_usd),
        **({"previous": _bounds(question.before)} if question.before else {}),
        **starts,
        "rows": [_row(bill, row) for row in bill.rows],
        "rest": _rest(bill),
        "groups": bill.groups,
        "next": bill.next,
        "unpriced": [_unpriced(one) for one in bill.unpriced],
        "unread": [{"scope": scope, "spans": count} for scope, count in bill.unread.items()],
    }


def bill_csv(bill: Bill, zone: ZoneInfo) -> str:
    """Return the rows as RFC 4180 has them, each bucket by itself; what is unknown is empty."""
    by, buckets, changes = bill.question.by, bill.question.buckets, bill.question.before
    more = (*RATES, *(CHANGES if changes else ()))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ("bucket", *by, "cost_usd", *MEASURES) if buckets else (*by, "cost_usd", *MEASURES, *more)
    )
    for row in (*bill.rows, *([bill.rest] if bill.rest else [])):
        names = list(_names(row, len(by)))
        if not buckets:
            figures = _exact(bill, row)
            cells = (_plain(figures[name]) for name in ("cost_usd", *MEASURES, *more))
            writer.writerow((*names, *cells))
        for start, amount in zip(bill.buckets, row.series, strict=True):
            cells = (_plain(amount.usd), *amount.measures.values())
            writer.writerow((_local(start, zone), *names, *cells))
    return text.getvalue()


def calls_json(calls: Calls, question: CallQuestion) -> dict[str, object]:
    """Return the list of calls as JSON values."""
    after = question.offset + len(calls.rows)
    return {
        **_bounds(question.period),
        "calls": [_call(row) for row in calls.rows],
        "count": calls.count,
        "next": after if calls.rows and after < calls.count else None,
    }


def work_json(found: WorkList, kind: str, question: CallQuestion) -> dict[str, object]:
    """Return the list of traces, missions or conversations as JSON values."""
    after = question.offset + len(found.rows)
    return {
        "kind": kind,
        **_bounds(question.period),
        "rows": [_as_json(row) for row in found.rows],
        "count": found.count,
        "next": after if found.rows and after < found.count else None,
    }


def _as_json(row: Mapping[str, object]) -> dict[str, object]:
    """Return the row as JSON values; a name that was not given is null."""
    shown = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
    return {k: None if v == "" else v for k, v in shown.items()}


def _call(row: Mapping[str, object]) -> dict[str, object]:
    """Return a call; a name that it did not give is null."""
    missing = [name for name in str(row["missing"] or "").split(",") if name]
    return _as_json(row) | {"missing": missing}


def _row(bill: Bill, row: Spending) -> dict[str, object]:
    return {**dict(zip(bill.question.by, row.values, strict=True)), **_figures(bill, row)}


def _rest(bill: Bill) -> dict[str, object] | None:
    """Return all other rows in one; groups: how many they are."""
    if bill.rest is None:
        return None
    return {"groups": bill.groups - len(bill.rows), **_figures(bill, bill.rest)}


def _figures(bill: Bill, row: Spending) -> dict[str, object]:
    """Return the figures of a row; JSON has doubles, and the nearest shows the same digits."""
    exact = _exact(bill, row)
    figures: dict[str, object] = {
        key: float(value) if isinstance(value, Decimal) else value for key, value in exact.items()
    }
    if bill.question.buckets:
        figures["series"] = _series(row.series)
    return figures


def _exact(bill: Bill, row: Spending) -> dict[str, object]:
    now, before, missions = row.now, row.before, row.missions
    figures: dict[str, object] = {
        "cost_usd": now.usd,
        **now.measures,
        "share_percent": bill.share_percent(row),
        "missions": missions and missions.count,
        "cost_per_call_usd": now.per_call_usd,
        "cost_per_1k_tokens_usd": now.per_1k_tokens_usd,
        "cost_per_mission_usd": missions and missions.each_usd,
    }
    if before:
        figures |= {
            "previous_usd": before.usd,
            "previous_calls": before.measures["calls"],
            "change_usd": row.change_usd,
            "change_percent": row.change_percent,
            "trend": row.trend,
        }
    return figures


def _series(amounts: tuple[Amount, ...]) -> dict[str, object]:
    measures = {name: [amount.measures[name] for amount in amounts] for name in MEASURES}
    return {"cost_usd": [_number(amount.usd) for amount in amounts], **measures}


def _names(row: Spending, count: int) -> Iterator[object]:
    """Yield a row's names; one that a spreadsheet would compute gets an apostrophe before it."""
    for value in row.values or (REST, *[""] * (count - 1)):
        yield f"'{value}" if value and value.startswith(FORMULA) else value


def _bounds(period: Period) -> dict[str, object]:
    return {"from": period.start.isoformat(), "to": period.end.isoformat()}


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()


def _number(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)


def _plain(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value


def _unpriced(one: Unpriced) -> dict[str, object]:
    seen = {name: getattr(one, name).isoformat() for name in ("first_seen", "last_seen")}
    return {**asdict(one), **seen, "missing": list(one.missing)}
