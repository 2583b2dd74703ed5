"""How far the running totals are written to AppMetrics, as a Protocol that its store fits."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from shared.metrics.points import SeriesState
from shared.rows import MetricRow

NEVER = datetime.min.replace(tzinfo=UTC)
EVERY_METRIC = "*"
"""Stands for all in Written.lost."""


@dataclass(frozen=True, slots=True)
class Written:
    """How far the running totals are written to AppMetrics.

    version: of what is stored; 0 where nothing is yet. minute: the last that was written.
    totals: as they were then. owed: rows that Azure Monitor is yet to take. until: its writer
    may be sending the owed rows up to then. lost: metrics whose totals cannot be read: what was
    added to them since stays unwritten.
    """

    version: int = 0
    minute: datetime = NEVER
    totals: SeriesState = field(default_factory=SeriesState)
    owed: tuple[MetricRow, ...] = ()
    until: datetime = NEVER
    lost: frozenset[str] = frozenset()


class Mark(Protocol):
    """Remembers how far the running totals are written, for one writer at a time."""

    def load(self) -> Written:
        """Return what is stored.

        Raises:
            RetryLater: the store did not answer, or is being written to.
        """
        ...

    def save(self, written: Written) -> Written:
        """Store it in place of what has its version; return it with its new version.

        Raises:
            RetryLater: the stored version is another: another was faster; or the store did
                not answer. Nothing was written, or all.
            GiveUp: it is more than the store holds.
        """
        ...
