"""What a rule's query said: one sample per series."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.alerting.comparison import Number
from shared.errors import Misconfigured

SPECIAL = ("value", "samples", "onset")
"""Columns that are no labels."""
LABELS_MOST = 30
LABEL_MAX = 128
"""Characters of a label; a longer one is cut and keeps a digest, so that two stay two."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row. value: None where the query had no number.

    samples, onset (when the trouble began, by the data): None where not asked for. is_bad: what
    was judged already; None where the value is yet to be compared.
    """

    labels: Mapping[str, str]
    value: Number | None
    samples: Number | None = None
    onset: datetime | None = None
    is_bad: bool | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The query gave no answer that can be used."""

    why: str


@dataclass(frozen=True, slots=True)
class Stale:
    """The query was not asked, for what it is about had stopped coming in."""

    why: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """The present could not be read yet, or was not asked: all stays as it is."""

    why: str


Reading = Mapping[str, Sample] | Failed | Stale | Unseen
"""What one query said, by the fingerprint of the series."""


def read_samples(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Mapping[str, Sample]:
    """Return the samples of an answer by fingerprint.

    Raises:
        Misconfigured: the columns or values are not those of a rule.
    """
    if "value" not in columns:
        raise Misconfigured(
            f"The query returns {', '.join(columns) or 'no columns'}; name one of them `value`."
        )
    if len(columns) > LABELS_MOST:
        raise Misconfigured(
            f"The query returns {len(columns)} columns, over {LABELS_MOST}. Summarize by fewer."
        )
    samples = [_sample(dict(zip(columns, row, strict=True))) for row in rows]
    by_series = {fingerprint(sample.labels): sample for sample in samples}
    if len(by_series) < len(samples):
        raise Misconfigured(
            "Two rows have the same labels; summarize by every column that is not `value`."
        )
    return by_series


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return 12 hex digits that stand for the labels, whatever their order."""
    text = json.dumps(sorted(labels.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def finite(value: Number | None) -> float | None:
    """Return the value as JSON can hold it: None for what is no finite number."""
    return None if value is None or not math.isfinite(value) else float(value)


def _sample(row: Mapping[str, object]) -> Sample:
    """Split a row into its number, its sample count and its labels."""
    labels = {name: _label(item) for name, item in row.items() if name not in SPECIAL}
    return Sample(labels, _number(row, "value"), _number(row, "samples"), _moment(row, "onset"))


def _label(item: object) -> str:
    """Write a label as text that can be stored; Kusto's strings are never null, nor are labels."""
    text = "" if item is None else str(item).encode("utf-8", "replace").decode()
    if len(text) <= LABEL_MAX:
        return text
    mark = f"…{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return text[: LABEL_MAX - len(mark)] + mark


def _number(row: Mapping[str, object], column: str) -> Number | None:
    """Return the number in that column."""
    item = row.get(column)
    if item is None or (isinstance(item, int | float | Decimal) and not isinstance(item, bool)):
        return item
    raise Misconfigured(f"`{column}` is {item!r}, no number; end the query with todouble(...).")


def _moment(row: Mapping[str, object], column: str) -> datetime | None:
    """Return the moment in that column."""
    item = row.get(column)
    if item is None or isinstance(item, datetime):
        return item
    raise Misconfigured(f"`{column}` is {item!r}, no moment; end the query with todatetime(...).")
