"""One line of the table of speed: what it takes here, beside a named reference in the same run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Measured:
    """ours, theirs: processor time, microseconds of one `unit`; both medians of the rounds.

    ratio: ours by theirs, the median over the rounds. must, aim: what it may be at most; 0 for no
    target.
    """

    what: str
    unit: str
    reference: str
    ours: float
    theirs: float
    ratio: float
    must: float = 0
    aim: float = 0

    @property
    def verdict(self) -> str:
        """Say whether the target is met."""
        if not self.must:
            return ""
        if self.ratio > self.must:
            return f"over {self.must:g}"
        return "aim met" if self.ratio <= self.aim else "met"


def cpu_us(work: Callable[[], object], times: int) -> float:
    """Return the processor time of this process for one of the `times` that the work does."""
    began = process_time()
    work()
    return (process_time() - began) / times * 1e6


def compared(pairs: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return the medians of both sides and of their quotients; the first round warms up."""
    warm = pairs[1:]
    ours, theirs = (median(side) for side in zip(*warm, strict=True))
    return ours, theirs, median(a / b for a, b in warm)
