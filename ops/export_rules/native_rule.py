"""Turns a rule into what Azure's own log search alerts can say, and says what they cannot."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from replay.columns import Columns
from shared.alerting.comparison import Comparison
from shared.alerting.rule import Rule, bind

EVERY = timedelta(minutes=5)
"""Every minute would be dearer, and is refused to queries that ask a saved function."""
WINDOWS = tuple(timedelta(minutes=n) for n in (5, 10, 15, 30, 45, 60)) + tuple(
    timedelta(hours=n) for n in (2, 3, 4, 5, 6, 24, 48)
)
MOST_PERIODS = 6
SEVERITIES = {"critical": 0, "error": 1, "warning": 2, "info": 3}
OF_ALL = (
    "its [fast] condition, judged as events arrive, and its minute: Azure looks every five minutes",
    "routes, grouping, inhibition, silences, reminders, and one page an incident",
    "the value and labels in the summary",
)
"""What no rule carries over."""


@dataclass(frozen=True, slots=True)
class Native:
    """A log search alert. labels: columns that distinguish its series. lost: what it cannot say."""

    rule: Rule
    query: str
    window: timedelta
    periods: int
    labels: Sequence[str]
    lost: Sequence[str]

    @property
    def condition(self) -> Comparison:
        """Return what the value must be."""
        return self.rule.condition

    @property
    def aggregation(self) -> str:
        """Of the rows of a series, which there is one of, take the worst."""
        return "Maximum" if self.condition.direction == "above" else "Minimum"

    @property
    def threshold(self) -> str:
        """Return the threshold as Bicep has it, which knows whole numbers alone."""
        number = self.condition.threshold
        whole = number == number.to_integral_value()
        return str(int(number)) if whole else f"json('{Decimal(number):f}')"


def native(rule: Rule, columns_of: Columns, now: datetime) -> Native | str:
    """Return the rule as a log search alert, or the reason why there can be none.

    columns_of: returns the columns of its query.
    """
    condition = rule.conditions[0]
    if condition.calendar:
        return "it asks for a calendar period, and Azure knows windows alone"
    window = next((size for size in WINDOWS if size >= condition.window), None)
    if window is None:
        return "its window is over two days"
    columns = columns_of(bind(condition.query, now - condition.window, now))
    labels = [name for name in columns if name not in ("value", "samples")]
    return Native(
        rule=rule,
        query=_query(rule),
        window=window,
        periods=min(1 + -(-condition.hold // EVERY), MOST_PERIODS),
        labels=labels,
        lost=[*_lost(rule), *OF_ALL],
    )


def _query(rule: Rule) -> str:
    """Return the query with bounds that follow the clock, and the least samples as a filter."""
    minutes = rule.window // timedelta(minutes=1)
    query = rule.query.replace("{start}", f"ago({minutes}m)").replace("{end}", "now()")
    least = f"\n| where samples >= {rule.min_samples}" if rule.min_samples else ""
    return re.sub(r"\s+\Z", "", query) + least


def _lost(rule: Rule) -> Iterator[str]:
    """Yield what this rule says and its alert cannot."""
    if rule.resolve:
        yield f"resolve = {rule.resolve}"
    if rule.no_data == "alert" or rule.no_data_max:
        yield "what no data means: to Azure it is always well"
    if rule.keep_firing:
        yield "keep_firing"
    if rule.conditions[0].offset:
        yield "its offset: late data may trip it"
    if 1 + -(-rule.hold // EVERY) > MOST_PERIODS:
        yield "its hold: Azure waits for 25 minutes at most"
