"""What a condition of a rule read at a planned time, kept so that a person can check it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.alerting.reading import Failed, Reading, Sample, Stale, Unseen, finite
from shared.alerting.rule import Condition, bind

ROWS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Row:
    """What the query said of one series; None where it had no finite number, or no such column."""

    labels: Mapping[str, str]
    value: float | None
    samples: float | None = None
    onset: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question, its answer, and what the answer was held against.

    query: the KQL as it was asked, of start <= TimeGenerated < end.
    rows: at most 20, the worst first. row_count: how many there were.
    error: why there was no answer; "" where there was one.
    """

    look: str
    query: str
    start: datetime
    end: datetime
    condition: str
    threshold: float
    hold_s: float
    rows: tuple[Row, ...] = ()
    row_count: int = 0
    error: str = ""


def evidence(condition: Condition, at: datetime, reading: Reading, series: str = "") -> Evidence:
    """Return what the condition read for the planned time.

    series: the fingerprint whose row alone is kept; "" keeps the worst of all.
    """
    end = at - condition.offset
    start = end - condition.window
    failed = isinstance(reading, Failed | Stale | Unseen)
    samples: Mapping[str, Sample] = {} if failed else reading
    shown = [sample for key, sample in samples.items() if key == series or not series]
    shown.sort(key=lambda sample: condition.comparison.badness(sample.value))
    return Evidence(
        look=condition.name,
        query=bind(condition.query, start, end, condition.calendar),
        start=start,
        end=end,
        condition=str(condition.comparison),
        threshold=float(condition.comparison.threshold),
        hold_s=condition.hold.total_seconds(),
        rows=tuple(map(_row, shown[:ROWS_KEPT])),
        row_count=len(samples),
        error=reading.why if failed else "",
    )


def _row(sample: Sample) -> Row:
    return Row(sample.labels, finite(sample.value), finite(sample.samples), sample.onset)
