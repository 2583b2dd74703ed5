"""Finds the unit of a rule's values in the rule's own words, and writes values in it."""

import re
from dataclasses import dataclass

from shared.alerting.rule import Condition

_PLACE = re.compile(r"(\$?)\{value[^}]*\}(?: (%|s|ms|h)(?![\w]))?")


@dataclass(frozen=True, slots=True)
class Unit:
    """before: "$" or "". after: such as "%" or "/ s"; "" for a plain number."""

    before: str = ""
    after: str = ""

    def write(self, value: float) -> str:
        """Write the value in three digits at least, as a person says it."""
        digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        if self.before and value != int(value):
            digits = f"{value:,.2f}"
        return f"{self.before}{digits}{f' {self.after}' if self.after else ''}"


def unit_of(condition: Condition) -> Unit:
    """Return the unit of the condition's values: a fast condition says it, a query's is in the
    words.
    """
    if condition.tallied:
        return Unit("$" if condition.tallied.sum.endswith("_usd") else "", condition.tallied.unit)
    found = _PLACE.search(condition.summary)
    return Unit(found[1], found[2] or "") if found else Unit()
