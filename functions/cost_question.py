"""Reads what a request asks of the costs."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from shared.alerting.calendar import TimeZone
from shared.errors import InvalidEvent
from shared.moments import RFC3339, read_moment
from shared.usecases.explaining.dearest import WORK_SORTS
from shared.usecases.spending.buckets import WIDTHS, Buckets, Width
from shared.usecases.spending.calls import CALL_SORTS, FARTHEST, CallQuestion
from shared.usecases.spending.period import NAMES, Asked, Period, free, named
from shared.usecases.spending.question import (
    DEFAULT_ROWS,
    MOST_CELLS,
    MOST_DIMENSIONS,
    MOST_ROWS,
    SPLIT_BY,
    Question,
    Scope,
    Values,
)
from shared.usecases.spending.spent_query import SORTS

NOT = "not_"
NONE = "(none)"
"""Stands for calls that named none."""
FILTERS = (*SPLIT_BY, *(NOT + name for name in SPLIT_BY))
WHEN = ("from", "to", "period", "timezone")
ROWS = ("sort", "order", "top", "offset")
PARAMETERS = ("by", *WHEN, "bucket", "compare", *ROWS, "format", *FILTERS)
CALL_PARAMETERS = (*WHEN, *ROWS, *FILTERS)
KEYS = ("code", "clientId")
"""Parameters that the Functions host itself reads."""
FORMATS = ("json", "csv")
COMPARED = ("none", "previous")
ORDERS = ("desc", "asc")
SPAN = timedelta(hours=24)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
HOURS: Mapping[Width, int] = {"hour": 1, "day": 24, "week": 168, "month": 720}
MOST_VALUES, LONGEST_VALUE = 200, 8_192
_PIECES = re.compile(r"\\[\\,(]|,|[^\\,]+|\\")
_ESCAPED = re.compile(r"\\([\\,(])")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ZONE = TypeAdapter[str](TimeZone)
Params = Mapping[str, str]


def read_question(params: Params, now: datetime) -> tuple[Question, ZoneInfo]:
    """Return what is asked, and the time zone that it is asked in.

    Raises:
        InvalidEvent: names the parameter that is wrong, with the remedy.
    """
    _check_names(params, PARAMETERS)
    zone = _zone(params)
    asked = _asked(params, zone, now)
    top, offset = _number(params, "top", DEFAULT_ROWS, MOST_ROWS), _offset(params, MOST_ROWS)
    question = Question(
        period=asked.period,
        by=_by(params),
        scope=_scope(params),
        buckets=_buckets(params, zone, asked.period, top + offset),
        before=asked.before if _one(params, "compare", COMPARED) == "previous" else None,
        sort=_one(params, "sort", tuple(SORTS)),
        ascending=_one(params, "order", ORDERS) == "asc",
        top=top,
        offset=offset,
    )
    if question.sort in ("previous", "change") and question.before is None:
        raise InvalidEvent(f"sort={question.sort} needs a comparison. Add compare=previous.")
    return question, zone


def read_call_question(params: Params, now: datetime) -> CallQuestion:
    """Return which calls are asked for. Raises as read_question."""
    return _read_list(params, now, CALL_SORTS)


def read_work_question(params: Params, now: datetime) -> CallQuestion:
    """Return the calls of which traces, missions or conversations are asked for. Raises as
    read_question."""
    return _read_list(params, now, WORK_SORTS)


def _read_list(params: Params, now: datetime, sorts: Mapping[str, str]) -> CallQuestion:
    _check_names(params, CALL_PARAMETERS)
    asked = _asked(params, _zone(params), now)
    top, offset = _number(params, "top", 100, 1_000), _offset(params, FARTHEST)
    if top + offset > FARTHEST:
        raise InvalidEvent(
            f"The list ends after {FARTHEST:,}. Narrow it: a shorter period, or one "
            f"team, agent or model, such as team=red."
        )
    sort = _one(params, "sort", tuple(sorts))
    is_ascending = _one(params, "order", ORDERS) == "asc"
    return CallQuestion(asked.period, _scope(params), sort, is_ascending, top, offset)


def is_csv(params: Params, accept: str) -> bool:
    """Return whether CSV is wanted: `format` decides, then what the client accepts."""
    if "format" in params:
        return _one(params, "format", FORMATS) == "csv"
    return "text/csv" in accept.lower()


def split(text: str) -> tuple[str, ...]:
    r"""Return the values between commas; NONE stands for "", which no host passes on.

    \, is a comma within a value, \\ a backslash, \(none) the name itself.
    """
    values = [""]
    for piece in cast("list[str]", _PIECES.findall(text)):
        if piece == ",":
            values.append("")
        else:
            values[-1] += piece
    return tuple("" if value == NONE else _ESCAPED.sub(r"\1", value) for value in values)


def _check_names(params: Params, known: Sequence[str]) -> None:
    """Let only parameters of ours through."""
    for name in params:
        if name not in (*known, *KEYS):
            raise InvalidEvent(f"{name[:40]!r} is no parameter. Known are {', '.join(known)}.")


def _by(params: Params) -> tuple[str, ...]:
    """Read what to split costs by; a host joins a repeated parameter with commas."""
    names = tuple(name.strip() for name in params.get("by", "model").split(","))
    for name in names:
        if name not in SPLIT_BY:
            raise InvalidEvent(f"by={name[:40]!r} is unknown. Send one of {', '.join(SPLIT_BY)}.")
    if len(set(names)) < len(names) or len(names) > MOST_DIMENSIONS:
        raise InvalidEvent(f"by names {len(names)}. Send at most {MOST_DIMENSIONS}, each once.")
    return names


def _scope(params: Params) -> Scope:
    return Scope(_values(params, str), _values(params, lambda name: NOT + name))


def _values(params: Params, parameter: Callable[[str], str]) -> Values:
    """Read the filters."""
    found: dict[str, tuple[str, ...]] = {}
    for name in SPLIT_BY:
        key = parameter(name)
        if key not in params:
            continue
        values = split(params[key])
        if len(values) > MOST_VALUES or max(map(len, values)) > LONGEST_VALUE:
            raise InvalidEvent(
                f"{key} has {len(values)} values, the longest of {max(map(len, values)):,} "
                f"characters. Send at most {MOST_VALUES} of at most {LONGEST_VALUE:,}."
            )
        if any(map(_UNSEEN.search, values)):
            raise InvalidEvent(f"{key} has a character that cannot be seen. Send it without.")
        found[name] = values
    return found


def _asked(params: Params, zone: ZoneInfo, now: datetime) -> Asked:
    """Read the period: one of the calendar, or a free one, a day long and up to now by default."""
    if "period" in params:
        if "from" in params or "to" in params:
            raise InvalidEvent("period and from or to are sent together. Send either.")
        try:
            return named(params["period"], zone, now)
        except ValueError:
            raise InvalidEvent(
                f"period={params['period'][:40]!r} is unknown. Send one of {', '.join(NAMES)}, or "
                "a span up to now, such as 24h, 7d or 4w."
            ) from None
    end = _moment(params, "to", zone) if "to" in params else now
    start = _moment(params, "from", zone) if "from" in params else end - SPAN
    if start >= end:
        raise InvalidEvent(f"from={start.isoformat()} is not before to={end.isoformat()}. Swap.")
    if start > now:
        raise InvalidEvent(f"from={start.isoformat()} is in the future. Send an earlier time.")
    return free(Period(start, end), now)


def _moment(params: Params, name: str, zone: ZoneInfo) -> datetime:
    """Read an RFC 3339 time, or a day, which begins at midnight of the time zone."""
    text = params[name]
    try:
        if RFC3339.fullmatch(text):
            at = read_moment(text.upper())
        else:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
            at = datetime.combine(day, time(), zone).astimezone(UTC)
        if at >= FIRST:
            return at
    except (ValueError, OverflowError):
        pass
    raise InvalidEvent(
        f"{name}={text[:40]!r} is no time from {FIRST.year} on. Send one like "
        f"2026-01-31T12:00:00Z, or a day like 2026-01-31; write a + as %2B."
    )


def _zone(params: Params) -> ZoneInfo:
    name = params.get("timezone", "UTC")
    try:
        return ZoneInfo(_ZONE.validate_python(name))
    except ValidationError:
        raise InvalidEvent(
            f"timezone={name[:40]!r} is not known. Send an IANA name, such as Europe/Berlin."
        ) from None


def _buckets(params: Params, zone: ZoneInfo, period: Period, rows: int) -> Buckets | None:
    if "bucket" not in params:
        return None
    width = cast("Width", _one(params, "bucket", WIDTHS))
    count = period.length / (HOURS[width] * timedelta(hours=1))
    if count * rows > MOST_CELLS:
        fit = int(MOST_CELLS / count)
        raise InvalidEvent(
            f"{rows:,} rows of {count:,.0f} buckets are more than one answer holds. Send a larger "
            f"bucket{f', or top={fit}' if fit else ', or a shorter period'}."
        )
    return Buckets(width, zone.key)


def _one(params: Params, name: str, known: Sequence[str]) -> str:
    """Read one of the known words; the first is what is meant by none."""
    value = params.get(name, known[0])
    if value not in known:
        raise InvalidEvent(f"{name}={value[:40]!r} is unknown. Send one of {', '.join(known)}.")
    return value


def _offset(params: Params, most: int) -> int:
    return _number(params, "offset", 0, most, least=0)


def _number(params: Params, name: str, default: int, most: int, *, least: int = 1) -> int:
    text = params.get(name, str(default))
    if re.fullmatch(r"\d{1,6}", text, re.ASCII) and least <= int(text) <= most:
        return int(text)
    raise InvalidEvent(f"{name}={text[:40]!r} is no number from {least} to {most:,}. Send one.")
