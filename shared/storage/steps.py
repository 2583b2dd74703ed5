"""The history of alerts: what waits for its export, and the latest of what was exported."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import TypeAdapter

from shared.alerting.history import News, Step, in_order
from shared.errors import RetryLater
from shared.storage.outbox import as_json
from shared.storage.packing import packed, text_key, unpacked
from shared.storage.quarantine import Copies
from shared.storage.rows import (
    EVERY,
    Change,
    Conflict,
    Delete,
    Insert,
    Put,
    Replace,
    Row,
    Rows,
    prefix,
)

STEPS_KEPT = 200
"""Exported steps that a store remembers of each rule."""

STEPS = TypeAdapter(tuple[Step, ...])
_EXPORTED: Final = "steps"
_NEWS = prefix("n:")
_NUMBER: Final = "number"


class RowSteps:
    """Rows `n:<id>` for the steps of each write, and `steps` for all exported ones of a rule; fits
    StepLog."""

    def __init__(self, rows: Rows) -> None:
        """rows: the table of the alerts; the partition is the rule's."""
        self._rows = rows
        self._copies = Copies(rows)

    def note(self, rule: str, steps: Sequence[Step]) -> None:
        """Store steps of the rule that come with no other change; they count after those that
        were stored before."""
        if steps:
            waiting = self._rows.query(text_key(rule), _NEWS, _NUMBER)
            last = max((row.number(_NUMBER) for row in waiting), default=0)
            self._rows.commit(text_key(rule), added(rule, steps, last + 1))

    def news(self, most: int) -> Sequence[News]:
        """Return what is not yet exported, oldest first."""
        return self._in_turn(self._rows.query(EVERY, _NEWS))[:most]

    def mark_exported(self, news: News) -> None:
        """Move the steps to those that are kept.

        Raises:
            RetryLater: another instance did it at the same time.
        """
        partition, key = text_key(news.rule), f"n:{news.id}"
        row = self._rows.get(partition, _EXPORTED)
        fields = steps_fields(kept(merged(self._steps(row), news.steps)))
        change = Replace(_EXPORTED, fields, row.etag) if row else Insert(_EXPORTED, fields)
        try:
            self._rows.commit(partition, [Delete(key), change])
        except Conflict:
            if self._rows.get(partition, key, "rule") is None:
                return
            raise RetryLater("Others export this history, too; the next tick goes on.") from None

    def steps(self, rule: str) -> Sequence[Step]:
        """Return the steps of the rule that are kept or not yet exported, oldest first."""
        partition = text_key(rule)
        waiting = self._in_turn(self._rows.query(partition, _NEWS))
        kept = self._steps(self._rows.get(partition, _EXPORTED))
        return merged(kept, *(news.steps for news in waiting))

    def _in_turn(self, rows: Iterable[Row]) -> list[News]:
        ordered = sorted(rows, key=lambda row: row.number(_NUMBER))
        found = [self._copies.attempt(_news, row) for row in ordered]
        return oldest_first(news for news in found if news)

    def _steps(self, row: Row | None) -> tuple[Step, ...]:
        return (self._copies.attempt(_steps, row) if row else None) or ()


def added(rule: str, steps: Sequence[Step], number: int = 0) -> list[Change]:
    """Return what stores the steps for their export, for a transaction in the rule's partition.

    number: orders the steps of one moment; of those with one id, the highest counts.
    """
    if not steps:
        return []
    news = news_of(rule, steps)
    return [Put(f"n:{news.id}", {"rule": rule, _NUMBER: number, **steps_fields(news.steps)})]


def steps_fields(steps: tuple[Step, ...]) -> dict[str, bytes]:
    """Return the fields of steps."""
    return packed(as_json(STEPS, steps), "the history of a rule. Have it return fewer series.")


def news_of(rule: str, steps: Sequence[Step]) -> News:
    """Return the steps under a name that follows from them."""
    text = as_json(STEPS, tuple(steps))
    return News(hashlib.sha256(text.encode()).hexdigest()[:24], rule, tuple(steps))


def oldest_first(news: Iterable[News]) -> list[News]:
    """Return the news in the order of their steps."""
    return sorted(news, key=lambda one: one.steps[0].at)


def merged(*parts: Iterable[Step]) -> list[Step]:
    """Return the steps of all parts in order; of those with one id the last counts."""
    return in_order({step.id: step for part in parts for step in part}.values())


def kept(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the latest steps, as many as a store remembers."""
    return tuple(steps[-STEPS_KEPT:])


def _news(row: Row) -> News:
    return News(row.key.removeprefix("n:"), row.text("rule"), _steps(row))


def _steps(row: Row) -> tuple[Step, ...]:
    return STEPS.validate_json(unpacked(row))
