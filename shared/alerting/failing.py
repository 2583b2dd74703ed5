"""Which rules have had no answer for too long, and how long a fresh deployment is waited for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from shared.alerting.record import RuleRecord
from shared.alerting.schedule import AHEAD_MOST

FAILING_AFTER = timedelta(minutes=5)
FRESH_FOR = timedelta(minutes=30)
"""Tables, roles and first data of a fresh deployment take up to so long."""


def failing(records: Sequence[RuleRecord], now: datetime) -> Mapping[str, int]:
    """Return the failures in a row of each rule that has had no answer for too long, by rule.

    It counts from the first failure, which may be one of storing the rule's state, too.
    """
    return {
        record.rule: record.errors
        for record in records
        if record.failing_since and now - record.failing_since >= FAILING_AFTER
    }


def awaited(records: Sequence[RuleRecord], now: datetime) -> str:
    """Return what a fresh deployment waits for: the error of a rule; "" where it is fresh no more.

    records: of the operator's rules. Fresh is a deployment of which none was answered yet, for half
    an hour at most.
    """
    since = [record.failing_since for record in records if record.failing_since]
    answered = any(record.last_good_at for record in records)
    if answered or not since or now - min(since) >= FRESH_FOR:
        return ""
    return next(record.last_error for record in records if record.failing_since)


def is_fresh(records: Collection[RuleRecord], now: datetime) -> bool:
    """Return whether data may be on its way yet: for half an hour after the first rule was
    evaluated, and after each deployment.
    """
    evaluated = [record for record in records if record.last_at]
    is_first = all(one.first_at and _is_lately(one.first_at, now) for one in evaluated)
    return is_first or any(_is_lately(one.deployed_at, now) for one in records if one.deployed_at)


def _is_lately(at: datetime, now: datetime) -> bool:
    """Return whether that was within the time of grace; what a wrong clock dated ahead was not."""
    return -AHEAD_MOST <= now - at < FRESH_FOR
