"""Judges what one condition of a rule read of one series."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.alerting.reading import Failed, Reading, Sample, Stale, Unseen, finite
from shared.alerting.rule import Condition

Verdict = Literal["true", "false", "between", "no_data", "gone", "stale", "unseen", "error"]
ENDED = "the series has ended: others spoke and it did not, twice"
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one condition found of one series.

    between: no longer true, not yet past `resolve`. gone: no data, while others speak. stale: no
    data, and no wonder. unseen: not read now, which changes nothing.
    """

    verdict: Verdict
    why: str
    value: float | None = None


def see(condition: Condition, reading: Reading, key: str, labels: Labels) -> Seen:
    """Judge what the condition read of the series."""
    if isinstance(reading, Failed):
        return Seen("error", reading.why)
    if isinstance(reading, Stale):
        return Seen("stale", reading.why)
    if isinstance(reading, Unseen):
        return Seen("unseen", reading.why)
    if sample := reading.get(key):
        return _judge(condition, sample)
    if condition.tallied:
        return Seen("false", "nothing of it arrived in the last 15 minutes")
    if not reading:
        return Seen("no_data", "no data")
    return Seen("gone", ENDED) if labels else Seen("false", "there is data again")


def _judge(condition: Condition, sample: Sample) -> Seen:
    """Compare a sample; too few samples make no breach believable, but an all-clear is."""
    value = finite(sample.value)
    true = condition.comparison.holds(sample.value)
    if true is None:
        return Seen("no_data", "no number")
    if sample.is_bad is not None and condition.tallied:
        limit = (
            f"{condition.tallied.measured} {condition.comparison} {condition.tallied.unit}".strip()
        )
        how = "for" if sample.is_bad else "not for"
        held = f"{how} {condition.tallied.lasting.total_seconds():.0f} s {limit}"
        return Seen("true" if sample.is_bad else "false", f"{_said(sample)}: {held}", value)
    if true and condition.min_samples > (sample.samples or 0):
        return Seen("no_data", f"{sample.samples or 0} samples, too few of {condition.min_samples}")
    if true:
        return Seen("true", f"{_said(sample)} is {condition.comparison}", value)
    if condition.resolve and not condition.resolve.holds(sample.value):
        return Seen("between", f"{_said(sample)} is not yet {condition.resolve}", value)
    return Seen("false", f"{_said(sample)} is not {condition.comparison}", value)


def _said(sample: Sample) -> str:
    """Write the value for a person: a real number to seven digits, any other as it is."""
    return f"{sample.value:.7g}" if isinstance(sample.value, float) else str(sample.value)
