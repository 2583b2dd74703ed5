"""A comparison with a threshold, exact where binary floats would flap."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Literal

Number = int | float | Decimal
Direction = Literal["above", "below"]

_OPERATORS = {">": gt, ">=": ge, "<": lt, "<=": le}
_FORM = re.compile(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Such as "> 100": what a value must be for a rule to be true."""

    operator: str
    threshold: Decimal

    @property
    def direction(self) -> Direction:
        """Return on which side of the threshold it is true."""
        return "above" if self.operator.startswith(">") else "below"

    def holds(self, value: Number | None) -> bool | None:
        """Compare the value as it would be written; None where there is no number to compare."""
        if value is None or value != value:
            return None
        return _OPERATORS[self.operator](Decimal(str(value)), self.threshold)

    def badness(self, value: Number | None) -> float:
        """Return a number that is the lower the further the value is beyond the threshold."""
        if value is None or value != value:
            return math.inf
        return -float(value) if self.direction == "above" else float(value)

    def __str__(self) -> str:
        return f"{self.operator} {self.threshold}"


def parse_comparison(text: object) -> Comparison:
    """Read a comparison.

    Raises:
        ValueError: it is none; the message shows the form.
    """
    found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError(
            f'{text!r} is no comparison; write an operator (>, >=, <, <=) and a number: "> 100"'
        )
    return Comparison(found[1], Decimal(found[2]))
