"""Alert records, outgoing pages and their history: a partition per rule."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from shared.alerting.history import Step
from shared.alerting.page import Accepted, Dead, Delivery, Dropped, Later, Page
from shared.alerting.record import RuleRecord
from shared.errors import RetryLater
from shared.storage import outbox
from shared.storage.outbox import (
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
from shared.storage.packing import packed, parts_of, text_key, unpacked
from shared.storage.quarantine import Quarantine
from shared.storage.rows import (
    EVERY,
    Change,
    Conflict,
    Delete,
    Fields,
    Insert,
    Put,
    Replace,
    Rows,
    commit_present,
    prefix,
)
from shared.storage.salvage import readable
from shared.storage.steps import RowSteps, added

_RECORD = "record"
_WAITING = prefix("o:")
_SETTLED = prefix("h:")


class RowAlerts:
    """Alerts that every instance of the app shares; fits ports.AlertStore.

    A rule's rows are `record`, `o:<page>` for each page that waits, `h:<page>` for each that was
    settled, `x:<key>` for what cannot be read, and those of its history: one partition, so that one
    transaction changes them together.
    The table is small, which is why its pages may be looked for in all partitions at once.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._quarantine = Quarantine(rows)
        self.log = RowSteps(rows)

    def load(self, rule: str) -> RuleRecord:
        """Return the record of the rule, or a fresh one with version 0."""
        row = self._rows.get(text_key(rule), _RECORD)
        found = self._quarantine.readable(RECORD, [row] if row else [])
        return found[0] if found else RuleRecord(rule)

    def load_all(self) -> Sequence[RuleRecord]:
        """Return the record of every rule that has one, by rule."""
        records = self._quarantine.readable(RECORD, self._rows.query(EVERY, _RECORD))
        return sorted(records, key=lambda record: record.rule)

    def save(
        self, record: RuleRecord, pages: Sequence[Page], steps: Sequence[Step] = ()
    ) -> RuleRecord:
        """Store the record, add the pages to the outbox and the steps to the log, in one
        transaction.

        Raises:
            RetryLater: another was faster, and nothing was written; or the table did not
                answer, and load() shows whether it was.
            GiveUp: the rule has more series, or a page says more, than a row holds.
        """
        saved = replace(record, version=record.version + 1)
        if len({page.id for page in pages}) < len(pages):
            raise RetryLater(faster(record.rule))
        try:
            changes = [self._change(saved), *map(_waiting, pages)]
            news = added(record.rule, steps, saved.version)
            self._rows.commit(text_key(record.rule), [*changes, *news])
        except Conflict:
            raise RetryLater(faster(record.rule)) from None
        return saved

    def due(self, now: datetime, most: int) -> Sequence[Page]:
        """Return the oldest page of each incident where that one is due, oldest first."""
        return next_in_line(self.waiting(), now, most)

    def lease(self, page: Page, token: str, now: datetime, until: datetime) -> Page | None:
        """Take the page for an attempt; None where another was faster."""
        row = self._rows.get(text_key(page.rule), f"o:{text_key(page.id)}")
        stored = self._quarantine.readable(PAGE, [row] if row else [])
        taken = begun(stored[0], page, token, now, until) if stored else None
        if not row or not taken:
            return None
        try:
            self._rows.commit(row.partition, [Replace(row.key, page_fields(taken), row.etag)])
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
        if row is None or row.text("lease") != page.lease:
            return
        news = added(page.rule, steps)
        with suppress(Conflict):
            if isinstance(outcome, Later):
                later = Replace(row.key, page_fields(tried), row.etag)
                self._rows.commit(partition, [later, *news])
                return
            entry = Put(f"h:{key}", settled_fields(tried, outcome, not_before))
            self._rows.commit(partition, [Delete(row.key, row.etag), entry, *news])
            self._trim()

    def waiting(self) -> Sequence[Page]:
        """Return every page of the outbox, oldest first."""
        return in_order(self._quarantine.readable(PAGE, self._rows.query(EVERY, _WAITING)))

    def history(self, most: int) -> Sequence[tuple[Page, Delivery, datetime]]:
        """Return the latest settled pages with their outcome and when, newest first."""
        rows = sorted(self._rows.query(EVERY, _SETTLED), key=lambda row: row.text("order"))
        return [
            (page, outcome, page.not_before)
            for row in rows[::-1][:most]
            for page in readable(PAGE, (unpacked(row),))
            for outcome in readable(SETTLED, (row.text("outcome"),))
        ]

    def _change(self, saved: RuleRecord) -> Change:
        """Create the first version, or replace the one before this.

        Raises:
            Conflict: the version before this is not the one that is stored.
        """
        fields = record_fields(saved)
        if saved.version == 1:
            return Insert(_RECORD, fields)
        stored = self._rows.get(text_key(saved.rule), _RECORD, "version")
        if stored is None or stored.number("version") != saved.version - 1:
            raise Conflict(f"Version {saved.version - 1} of {saved.rule} is not there.")
        return Replace(_RECORD, fields, stored.etag)

    def _trim(self) -> None:
        """Drop the oldest history, so that looking for pages stays cheap."""
        rows = sorted(self._rows.query(EVERY, _SETTLED, "order"), key=lambda row: row.text("order"))
        old = defaultdict[str, list[str]](list)
        for row in rows[: -outbox.HISTORY_KEPT]:
            old[row.partition].append(row.key)
        for partition, keys in old.items():
            for some in parts_of(keys):
                commit_present(self._rows, partition, [Delete(key) for key in some])


def record_fields(record: RuleRecord) -> Fields:
    """Return the fields of a rule's record."""
    advice = f"the state of rule {record.rule}. Have its query return fewer series."
    return {"version": record.version, **packed(as_json(RECORD, record), advice)}


def page_fields(page: Page) -> Fields:
    """Return the fields of a page that waits."""
    data = packed(as_json(PAGE, page), "a page. Shorten the rule's description.")
    return {"lease": page.lease, **data}


def settled_fields(page: Page, outcome: Accepted | Dead | Dropped, at: datetime) -> Fields:
    """Return the fields of a page that was settled at that moment."""
    order = f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%f} {page.id}"
    return {"order": order, "outcome": as_json(SETTLED, outcome), **page_fields(page)}


def _waiting(page: Page) -> Change:
    return Insert(f"o:{text_key(page.id)}", page_fields(page))
