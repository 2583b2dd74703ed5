"""The book of label values in Azure Tables: a row per label, beside the series."""

import json
from base64 import urlsafe_b64encode

from azure.data.tables import TableServiceClient

from shared.adapters.storage_tables import ATTEMPTS, Conflict, Rows
from shared.adapters.tables_row import create, packed, replace, unpacked
from shared.errors import RetryLater

_PARTITION = "labels"


class TableLabels:
    """Label values that every instance of the app shares; fits ports.LabelBook.

    What was let in stays in, so that what this process has read of the book remains true, and most
    calls ask nothing of the table.
    """

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = Rows(service, "series")
        self._known: dict[str, frozenset[str]] = {}

    def admit(self, label: str, values: set[str], most: int) -> set[str]:
        """Return those of the values that are in the book, adding new ones while there is room.

        Raises:
            RetryLater: the table did not answer, or others were faster too often.
        """
        known = self._known.get(label, frozenset())
        if not values <= known and len(known) < most:
            known = self._known[label] = self._add(label, values, most)
        return set(values & known)

    def _add(self, label: str, values: set[str], most: int) -> frozenset[str]:
        """Return the book as it is with these values added."""
        key = urlsafe_b64encode(label.encode()).decode()
        for _ in range(ATTEMPTS):
            row = self._rows.get(_PARTITION, key)
            book = frozenset[str](json.loads(unpacked(row)) if row else ())
            new = sorted(values - book)[: max(0, most - len(book))]
            if not new:
                return book
            grown = book.union(new)
            text = json.dumps(sorted(grown), ensure_ascii=False)
            fields = packed(text, f"the values of {label}. Lower LABEL_MAX_VALUES and SERIES_MAX.")
            try:
                self._rows.commit(
                    [
                        replace(_PARTITION, key, fields, row.etag)
                        if row
                        else create(_PARTITION, key, fields)
                    ]
                )
            except Conflict:
                continue
            return grown
        raise RetryLater("Others added label values; the queue brings the message again.")
