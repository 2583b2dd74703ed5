"""Alert rules as a plan wants them evaluated, and queries that fail when it says so."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from replay.plan import Plan
from shared.alerting.grouping import Routes
from shared.alerting.rule import KqlFast, Rule
from shared.clock import Clock
from shared.errors import RetryLater
from shared.ports import Table, UsageLog

_OWNER = re.compile(r"// alert (\S+)\n")
"""What each query begins with: a comment that says whose it is."""


def planned(rules: Sequence[Rule], plan: Plan) -> Sequence[Rule]:
    """Return the rules with the plan's offset, without [fast] where it says so, each query marked
    with its alert's name."""
    return [_planned(rule, plan) for rule in rules]


def resolved_once(routes: Routes) -> Routes:
    """Return the routes without the repeat of each resolve: it guards against a PagerDuty that
    loses what it took, which that of a replay never does."""
    once = {"resolve_again": timedelta(0)}
    receivers = {name: item.model_copy(update=once) for name, item in routes.receivers.items()}
    return routes.model_copy(update={"receivers": receivers})


def through_pagerduty(routes: Routes) -> Routes:
    """Return the routes with every receiver over PagerDuty, whose pages are seen here."""
    receivers = {
        name: item.model_copy(update={"notifier": "pagerduty"})
        for name, item in routes.receivers.items()
    }
    return routes.model_copy(update={"receivers": receivers})


def _planned(rule: Rule, plan: Plan) -> Rule:
    offset = None if plan.offset_s is None else timedelta(seconds=plan.offset_s)
    fast = rule.fast if plan.fast else None
    if isinstance(fast, KqlFast):
        query = {"query": _marked(rule.name, fast.query)} if fast.query else {}
        fast = fast.model_copy(update=query if offset is None else {**query, "offset": offset})
    return rule.model_copy(
        update={
            "query": _marked(rule.name, rule.query),
            "offset": rule.offset if offset is None else offset,
            "fast": fast,
        }
    )


def _marked(alert: str, query: str) -> str:
    return f"// alert {alert}\n{query}"


class FaultyLog:
    """A log whose marked queries fail when the plan says so; fits ports.UsageLog."""

    def __init__(self, log: UsageLog, plan: Plan, clock: Clock) -> None:
        self._log = log
        self._plan = plan
        self._clock = clock

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        """Run the query. Raises RetryLater where the plan wants it, and as the log does."""
        marked = _OWNER.match(kql)
        if marked and self._plan.query_fails(marked[1], self._clock.now()):
            raise RetryLater("No answer: the plan says so.")
        return self._log.query(kql, start, end)
