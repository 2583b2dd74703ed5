"""Alert records, outgoing pages and their history in Azure Tables: a partition per rule."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from azure.data.tables import TableServiceClient

from shared.adapters import outbox, tables_row
from shared.adapters.outbox import (
    PAGE,
    RECORD,
    SETTLED,
    as_json,
    attempted,
    begun,
    faster,
    in_order,
    next_in_line,
)
from shared.adapters.salvage import readable
from shared.adapters.storage_tables import Conflict, Rows
from shared.adapters.tables_row import Operation, create, delete, packed, text_key, unpacked, upsert
from shared.adapters.tables_steps import TableSteps, added
from shared.alerting.history import Step
from shared.alerting.page import Delivery, Later, Page
from shared.alerting.record import RuleRecord
from shared.errors import RetryLater

_RECORD = "record"
_WAITING = "RowKey ge 'o:' and RowKey lt 'o;'"
_SETTLED = "RowKey ge 'h:' and RowKey lt 'h;'"


class TableAlerts:
    """Alerts that every instance of the app shares; fits ports.AlertStore.

    A rule's rows are `record`, `o:<page>` for each page that waits, `h:<page>` for each that was
    settled, and those of its history: one partition, so that one transaction changes them together.
    The table is small, which is why its pages may be looked for in all partitions at once.
    """

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = Rows(service, "alerts")
        self.log = TableSteps(self._rows)

    def load(self, rule: str) -> RuleRecord:
        """Return the record of the rule, or a fresh one with version 0."""
        row = self._rows.get(text_key(rule), _RECORD)
        return RECORD.validate_json(unpacked(row)) if row else RuleRecord(rule)

    def load_all(self) -> Sequence[RuleRecord]:
        """Return the record of every rule that has one, by rule."""
        rows = self._rows.query(f"RowKey eq '{_RECORD}'")
        records = readable(RECORD, map(unpacked, rows))
        return sorted(records, key=lambda record: record.rule)

    def save(
        self, record: RuleRecord, pages: Sequence[Page], steps: Sequence[Step] = ()
    ) -> RuleRecord:
        """Store the record, add the pages to the outbox and the steps to the log, in one
        transaction.

        Raises:
            RetryLater: somebody else was faster, and nothing was written; or the table did not
                answer, and load() tells whether it was.
            GiveUp: the rule has more series, or a page says more, than a row holds.
        """
        saved = replace(record, version=record.version + 1)
        try:
            changes = [self._change(saved), *map(_waiting, pages)]
            self._rows.commit([*changes, *added(record.rule, steps)])
        except Conflict:
            raise RetryLater(faster(record.rule)) from None
        return saved

    def due(self, now: datetime, most: int) -> Sequence[Page]:
        """Return the oldest page of each incident where that one is due, oldest first."""
        return next_in_line(self.waiting(), now, most)

    def lease(self, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
        """Take the page for an attempt; None where somebody else was faster."""
        row = self._rows.get(text_key(page.rule), f"o:{text_key(page.id)}")
        stored = row and PAGE.validate_json(unpacked(row))
        taken = stored and begun(stored, page, token, now, until)
        if not row or not taken:
            return None
        try:
            self._rows.commit(
                [tables_row.replace(row.partition, row.key, _fields(taken), row.etag)]
            )
        except Conflict:
            return None
        return taken

    def settle(
        self, page: Page, outcome: Delivery, not_before: datetime, steps: Sequence[Step] = ()
    ) -> None:
        """Record an attempt; a page that has left, or is another's by now, is passed over."""
        tried = attempted(page, outcome, not_before)
        partition, key = text_key(page.rule), text_key(page.id)
        row = self._rows.get(partition, f"o:{key}", "lease")
        if row is None or row.fields["lease"] != page.lease:
            return
        news = added(page.rule, steps)
        with suppress(Conflict):
            if isinstance(outcome, Later):
                later = tables_row.replace(partition, row.key, _fields(tried), row.etag)
                self._rows.commit([later, *news])
                return
            order = f"{not_before.astimezone(UTC):%Y%m%dT%H%M%S.%f} {page.id}"
            entry = {"order": order, "outcome": as_json(SETTLED, outcome), **_fields(tried)}
            self._rows.commit(
                [
                    delete(partition, row.key, row.etag),
                    upsert(partition, f"h:{key}", entry),
                    *news,
                ]
            )
            self._trim()

    def waiting(self) -> Sequence[Page]:
        """Return every page of the outbox, oldest first."""
        return in_order(readable(PAGE, map(unpacked, self._rows.query(_WAITING))))

    def history(self, most: int) -> Sequence[tuple[Page, Delivery, datetime]]:
        """Return the latest settled pages with their outcome and when, newest first."""
        rows = sorted(self._rows.query(_SETTLED), key=lambda row: row.fields["order"])
        return [
            (page, outcome, page.not_before)
            for row in rows[::-1][:most]
            for page in readable(PAGE, (unpacked(row),))
            for outcome in readable(SETTLED, (row.fields["outcome"],))
        ]

    def _change(self, saved: RuleRecord) -> Operation:
        """Create the first version, or replace the one before this.

        Raises:
            Conflict: the version before this is not the one that is stored.
        """
        partition = text_key(saved.rule)
        text = as_json(RECORD, saved)
        advice = f"the state of rule {saved.rule}. Have its query return fewer series."
        fields = {"version": saved.version, **packed(text, advice)}
        if saved.version == 1:
            return create(partition, _RECORD, fields)
        stored = self._rows.get(partition, _RECORD, "version")
        if stored is None or stored.fields["version"] != saved.version - 1:
            raise Conflict(f"Version {saved.version - 1} of {saved.rule} is not there.")
        return tables_row.replace(partition, _RECORD, fields, stored.etag)

    def _trim(self) -> None:
        """Drop the oldest history, so that looking for pages stays cheap."""
        rows = sorted(self._rows.query(_SETTLED, "order"), key=lambda row: row.fields["order"])
        old = defaultdict[str, list[str]](list)
        for row in rows[: -outbox.HISTORY_KEPT]:
            old[row.partition].append(row.key)
        for partition, keys in old.items():
            for some in tables_row.parts_of(keys):
                self._rows.commit_present([delete(partition, key) for key in some])


def _waiting(page: Page) -> Operation:
    return create(text_key(page.rule), f"o:{text_key(page.id)}", _fields(page))


def _fields(page: Page) -> dict[str, str | bytes]:
    data = packed(as_json(PAGE, page), "a page. Shorten the rule's description.")
    return {"lease": page.lease, **data}
