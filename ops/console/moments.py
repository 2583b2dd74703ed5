"""Reads moments and spans of time as an operator types them."""

import re
from argparse import ArgumentTypeError
from datetime import datetime, timedelta

from shared.moments import read_moment

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """Read an ISO 8601 moment; one without a zone is UTC. For argparse."""
    try:
        return read_moment(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no moment, such as 2026-01-31T12:00:00Z") from None


def span(text: str) -> timedelta:
    """Read a span such as 90s, 15m, 24h or 7d. For argparse."""
    match = _SPAN.fullmatch(text)
    if not match or int(match[1]) == 0:
        raise ArgumentTypeError(f"{text!r} is no span of time, such as 90s, 15m, 24h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
