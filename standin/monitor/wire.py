"""The Log Analytics API on the wire: what is asked, and how it is answered."""

import re
from datetime import datetime, timedelta
from typing import cast

from shared.moments import read_moment
from standin.monitor.cells import datetime_text
from standin.monitor.query import QueryAnswer, Span
from standin.monitor.refusal import BadQuery
from standin.monitor.tokens import tokens

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)
_QUOTED = re.compile(r"""^["'](.*)["']$""")
_PROPERTIES = ("title", "kind", "xtitle", "ytitle", "legend", "accumulate", "ysplit")


def read_timespan(text: str | None, now: datetime) -> Span:
    """Read `PT1H` (until whatever comes), `a/b`, `a/PT1H` or `PT1H/b`; None is no limit.

    Raises:
        BadQuery: it is none of these.
    """
    if not text:
        return Span(None, None)
    first, slash, second = (part.strip() for part in text.partition("/"))
    try:
        if not slash:
            return Span(now - _duration(first), None)
        if first.startswith("P"):
            return Span(read_moment(second) - _duration(first), read_moment(second))
        start = read_moment(first)
        lasts = second.startswith("P")
        return Span(start, start + _duration(second) if lasts else read_moment(second))
    except (ValueError, OverflowError):
        raise BadQuery("InvalidTimespan", f"The timespan {text!r} is not ISO 8601.") from None


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or text[-1] in "PT":
        raise ValueError(text)
    return timedelta(**{unit: float(amount) for unit, amount in found.groupdict("0").items()})


def wait_s(prefer: str) -> float | None:
    """Return the seconds of `wait=N` in a Prefer header, at most 600; None without one."""
    found = re.search(r"\bwait=(\d+)", prefer)
    return min(float(found[1]), 600.0) if found else None


def answer_body(answer: QueryAnswer, kql: str, prefer: str) -> dict[str, object]:
    """Return the body of a 200, with the statistics and the rendering where they were asked for."""
    columns = [{"name": n, "type": t} for n, t in zip(answer.columns, answer.types, strict=True)]
    rows = [[_cell(value) for value in row] for row in answer.rows]
    body: dict[str, object] = {
        "tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]
    }
    if "include-render=true" in prefer:
        body["render"] = rendering(kql)
    if "include-statistics=true" in prefer:
        body["statistics"] = {"query": {"executionTime": answer.elapsed_s}}
    if answer.partial:
        body["error"] = _TOO_MANY
    return body


_TOO_MANY = {
    "code": "PartialError",
    "message": "There were some errors when processing your query.",
    "details": [
        {
            "code": "QueryExecutionError",
            "message": "E_QUERY_RESULT_SET_TOO_LARGE: only the first rows are here",
        }
    ],
}


def _cell(value: object) -> object:
    return datetime_text(value) if isinstance(value, datetime) else value


def rendering(kql: str) -> dict[str, object]:
    """Return what the query's last `render` asks for; {} without one."""
    words = [token.text for token in tokens(kql)]
    if "render" not in words[:-1]:
        return {}
    start = len(words) - words[::-1].index("render")
    asked: dict[str, object] = {"visualization": words[start]}
    for name, sign, value in zip(
        words[start:], words[start + 1 :], words[start + 2 :], strict=False
    ):
        if sign == "=" and name in _PROPERTIES:
            asked[name] = _QUOTED.sub(r"\1", value)
    return asked


def refusal_body(error: BadQuery) -> dict[str, object]:
    """Return the body of a 400, with the place of the mistake where it is known."""
    inner: dict[str, object] = {"code": error.code, "message": str(error)}
    if error.line:
        inner |= {"line": error.line, "pos": error.pos}
    return error_body(
        "BadArgumentError", "The request had some invalid properties", innererror=inner
    )


def error_body(code: str, message: str, **more: object) -> dict[str, object]:
    """Return an error in the service's shape."""
    return {"error": {"message": message, "code": code, **more}}


def read_question(given: object) -> tuple[str, str | None]:
    """Return the query and the timespan of a request's JSON.

    Raises:
        BadQuery: there is no query in it, or one of them is no text.
    """
    asked = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    kql, timespan = asked.get("query"), asked.get("timespan")
    if not isinstance(kql, str) or not kql.strip():
        raise BadQuery("InvalidQuery", 'No query. Send {"query": "...", "timespan": "PT1H"}.')
    if not (timespan is None or isinstance(timespan, str)):
        raise BadQuery("InvalidTimespan", "The timespan is not text.")
    return kql, timespan
