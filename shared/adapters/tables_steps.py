"""The history of alerts in Azure Tables: what waits for its export, and the latest of what was."""

from collections.abc import Sequence
from typing import Final

from shared.adapters.outbox import as_json
from shared.adapters.steps import STEPS, kept, merged, news_of, oldest_first
from shared.adapters.storage_tables import Conflict, Rows
from shared.adapters.tables_row import (
    Operation,
    Row,
    create,
    delete,
    packed,
    replace,
    text_key,
    unpacked,
    upsert,
)
from shared.alerting.history import News, Step
from shared.errors import RetryLater

_TOLD: Final = "steps"
_NEWS = "RowKey ge 'n:' and RowKey lt 'n;'"


class TableSteps:
    """Rows `n:<id>` for the steps of each write, and `steps` for all told ones of a rule; fits
    StepLog."""

    def __init__(self, rows: Rows) -> None:
        """rows: the table of the alerts; the partition is the rule's."""
        self._rows = rows

    def note(self, rule: str, steps: Sequence[Step]) -> None:
        """Store steps of the rule that come with no other change."""
        if steps:
            self._rows.commit(added(rule, steps))

    def news(self, most: int) -> Sequence[News]:
        """Return what is not yet exported, oldest first."""
        return oldest_first(map(_news, self._rows.query(_NEWS)))[:most]

    def told(self, news: News) -> None:
        """Move the steps to those that are kept.

        Raises:
            RetryLater: somebody else did it at the same time.
        """
        partition, key = text_key(news.rule), f"n:{news.id}"
        row = self._rows.get(partition, _TOLD)
        fields = _fields(kept(merged(_steps(row), news.steps)))
        change = (
            replace(partition, _TOLD, fields, row.etag) if row else create(partition, _TOLD, fields)
        )
        try:
            self._rows.commit([delete(partition, key), change])
        except Conflict:
            if self._rows.get(partition, key, "rule") is None:
                return
            raise RetryLater("Others export this history, too; the next tick goes on.") from None

    def steps(self, rule: str) -> Sequence[Step]:
        """Return the steps of the rule that are kept or not yet exported, oldest first."""
        partition = text_key(rule)
        waiting = self._rows.query(f"PartitionKey eq '{partition}' and {_NEWS}")
        told = _steps(self._rows.get(partition, _TOLD))
        return merged(told, *(news.steps for news in oldest_first(map(_news, waiting))))


def added(rule: str, steps: Sequence[Step]) -> list[Operation]:
    """Return what stores the steps for their export, for a transaction in the rule's partition."""
    if not steps:
        return []
    news = news_of(rule, steps)
    return [upsert(text_key(rule), f"n:{news.id}", {"rule": rule, **_fields(news.steps)})]


def _fields(steps: tuple[Step, ...]) -> dict[str, bytes]:
    return packed(as_json(STEPS, steps), "the history of a rule. Have it return fewer series.")


def _news(row: Row) -> News:
    return News(row.key.removeprefix("n:"), row.fields["rule"], _steps(row))


def _steps(row: Row | None) -> tuple[Step, ...]:
    return STEPS.validate_json(unpacked(row)) if row else ()
