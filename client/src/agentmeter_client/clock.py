"""The only reader of the time of day."""

import time
from datetime import datetime, timezone


def now() -> float:
    """Return the time in seconds since 1970."""
    return time.time()


def rfc3339(at: float) -> str:
    """Write a time in seconds since 1970 as RFC 3339 in UTC."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat()
