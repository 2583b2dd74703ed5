"""GET /api/costs: what was spent, by whom, and what has no price."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import azure.functions as func

from functions.replies import headers, reply
from functions.route import Route
from shared.errors import InvalidEvent
from shared.events.columns import DIMENSIONS
from shared.moments import RFC3339, read_moment
from shared.pricing.entry import plain
from shared.usecases.spending.costs import MEASURES, Bill, Period, Spending, Unpriced
from shared.wiring import App

PARAMETERS = ("by", "from", "to", "format")
KEYS = ("code", "clientId")
"""Parameters that the Functions host itself reads."""
FORMATS = ("json", "csv")
SPAN = timedelta(hours=24)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
MOST_DIMENSIONS = 2
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""


def routes(app: Callable[[], App]) -> Sequence[Route]:
    """Return the route."""

    def get_costs(req: func.HttpRequest) -> func.HttpResponse:
        parts = app()
        now = parts.clock.now()
        asked = _asked(cast("Mapping[str, str]", req.params))
        period, by = _period(asked, now), _by(asked)
        as_csv = _is_csv(asked, headers(req).get("accept", ""))
        bill = parts.costs.spent(period, by, now)
        if not as_csv:
            return reply(200, _json(bill))
        kind = "text/csv; charset=utf-8; header=present"
        return func.HttpResponse(_csv(bill), headers={"Content-Type": kind})

    return [
        Route("get_costs", "api/costs", {"GET": get_costs}),
    ]


def _asked(params: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters, if all are ours."""
    for name in params:
        if name not in (*PARAMETERS, *KEYS):
            raise InvalidEvent(f"{name[:40]!r} is no parameter. Known are {', '.join(PARAMETERS)}.")
    return params


def _by(asked: Mapping[str, str]) -> tuple[str, ...]:
    """Read what to tell costs by; a host joins a repeated parameter with commas."""
    names = tuple(name.strip() for name in asked.get("by", "model").split(","))
    for name in names:
        if name not in DIMENSIONS:
            raise InvalidEvent(f"by={name[:40]!r} is unknown. Send one of {', '.join(DIMENSIONS)}.")
    if len(set(names)) < len(names) or len(names) > MOST_DIMENSIONS:
        raise InvalidEvent(f"by names {len(names)}. Send at most {MOST_DIMENSIONS}, each once.")
    return names


def _period(asked: Mapping[str, str], now: datetime) -> Period:
    """Read the period; a day long and up to now unless told otherwise."""
    end = _moment("to", asked["to"]) if "to" in asked else now
    start = _moment("from", asked["from"]) if "from" in asked else end - SPAN
    if start >= end:
        raise InvalidEvent(f"from={start.isoformat()} is not before to={end.isoformat()}. Swap.")
    if start > now:
        raise InvalidEvent(f"from={start.isoformat()} is in the future. Send an earlier time.")
    return Period(start, end)


def _moment(name: str, text: str) -> datetime:
    """Read an RFC 3339 time, or a day, which begins at midnight UTC."""
    try:
        is_time = RFC3339.fullmatch(text)
        at = read_moment(text.upper() if is_time else f"{text}T00:00:00Z")
        if at >= FIRST:
            return at
    except ValueError:
        pass
    raise InvalidEvent(
        f"{name}={text[:40]!r} is no time from {FIRST.year} on. Send one like "
        f"2026-01-31T12:00:00Z, or a day like 2026-01-31; write a + as %2B."
    )


def _is_csv(asked: Mapping[str, str], accept: str) -> bool:
    """Tell whether CSV is wanted: `format` decides, then what the client accepts."""
    named = asked.get("format", "csv" if "text/csv" in accept.lower() else "json")
    if named not in FORMATS:
        raise InvalidEvent(f"format={named[:40]!r} is unknown. Send one of {', '.join(FORMATS)}.")
    return named == "csv"


def _json(bill: Bill) -> dict[str, object]:
    return {
        "from": bill.period.start.isoformat(),
        "to": bill.period.end.isoformat(),
        "by": ",".join(bill.by),
        "total_usd": _number(bill.total_usd),
        **{name: bill.total(name) for name in MEASURES},
        "rows": [_row(row, bill.by) for row in bill.rows],
        "unpriced": [_unpriced(one) for one in bill.unpriced],
    }


def _row(row: Spending, by: tuple[str, ...]) -> dict[str, object]:
    values = dict(zip(by, row.values, strict=True))
    return {**values, "cost_usd": _number(row.usd), **row.measures}


def _number(usd: Decimal | None) -> float | None:
    """JSON has doubles; the nearest one shows the same digits."""
    return None if usd is None else float(usd)


def _unpriced(one: Unpriced) -> dict[str, object]:
    seen = {name: getattr(one, name).isoformat() for name in ("first_seen", "last_seen")}
    return {**asdict(one), **seen, "missing": list(one.missing)}


def _csv(bill: Bill) -> str:
    """Return the rows as RFC 4180 has them; an unknown cost is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow((*bill.by, "cost_usd", *MEASURES))
    writer.writerows(_cells(row) for row in bill.rows)
    return text.getvalue()


def _cells(row: Spending) -> Iterator[object]:
    """Yield a row's cells; a name that a spreadsheet would compute gets an apostrophe before it."""
    for value in row.values:
        yield f"'{value}" if value and value.startswith(FORMULA) else value
    yield "" if row.usd is None else plain(row.usd)
    yield from row.measures.values()
