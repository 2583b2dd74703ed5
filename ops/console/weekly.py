"""Counts how often something happens in a week, by as much of the past as is known."""

from datetime import timedelta

WEEK = timedelta(days=7)
LEAST = timedelta(days=1)
"""Of less, no week can be estimated: a quarter of an hour with one page would be 672."""


def weekly(count: int, known: timedelta) -> float | None:
    """Return how many there are in a week like the time that is known, None where that is short."""
    return None if known < LEAST else count * (WEEK / known)


def written(known: timedelta) -> str:
    """Write how long the known time is, for people."""
    hours = known / timedelta(hours=1)
    return f"{hours / 24:.1f} days" if known >= 2 * LEAST else f"{hours:.1f} hours"
