"""Reads times as they come in, by one rule for events, spans, silences, parameters and files."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def in_utc(moment: datetime) -> datetime:
    """Return the aware moment in UTC.

    Raises:
        ValueError: its zone takes it out of the years 1 to 9999, and no calculation could use it.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is not within the years 1 to 9999 in UTC; send another time") from None


def read_moment(text: str) -> datetime:
    """Read an ISO 8601 time, in UTC; one without a zone is UTC.

    Raises:
        ValueError: it is none, or not within the years 1 to 9999 in UTC.
    """
    at = datetime.fromisoformat(text)
    return in_utc(at) if at.tzinfo else at.replace(tzinfo=UTC)


def _rfc3339(value: object) -> object:
    """Let only RFC 3339 text through: pydantic would read 2026 as seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and RFC3339.fullmatch(value)):
        return value
    raise ValueError("it is no RFC 3339 time with a zone, such as 2026-01-31T12:00:00Z")


Moment = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(in_utc)]
"""A time with a zone, in UTC."""
