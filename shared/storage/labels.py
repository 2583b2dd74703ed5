"""The book of label values: a row per label, beside the series."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import cast

from shared.errors import RetryLater
from shared.storage.packing import packed, text_key, unpacked
from shared.storage.quarantine import Copies
from shared.storage.rows import ATTEMPTS, Change, Conflict, Insert, Replace, Row, Rows
from shared.store_ports import Use

_PARTITION = "labels"
UNUSED_FOR = timedelta(days=7)
"""Values that nothing used for so long make room for new ones."""
NOTED_EVERY = timedelta(days=1)
"""How exactly the book knows when a value was last used."""
FRESH = timedelta(minutes=15)
"""How long an instance goes by what it read."""
_HOUR_S = 3600


Book = dict[str, Use]


@dataclass(slots=True)
class _Known:
    """What an instance has read of a label's book, when, and the values that it met since."""

    book: Book
    at: datetime
    used: dict[str, str] = field(default_factory=dict[str, str])


class RowLabels:
    """Label values that every instance of the app shares; fits ports.LabelBook.

    One sender fills at most three quarters of a label's room, and values that nothing used for a
    week make room for new ones.
    """

    def __init__(self, rows: Rows, copies: Copies | None = None) -> None:
        """copies: where rows that cannot be read are kept; among the others, unless given."""
        self._rows = rows
        self._copies = copies or Copies(rows)
        self._known: dict[str, _Known] = {}

    def admit(self, label: str, values: Mapping[str, str], most: int, at: datetime) -> set[str]:
        """Return those of the values that are in the book, adding new ones while there is room.

        Raises:
            RetryLater: the store did not answer, or others were faster too often.
        """
        known = self._known.get(label)
        if known is None or not known.at <= at < known.at + FRESH:
            known = self._read(label, at)
        known.used.update(values)
        if _is_due(known.book, values, most, at):
            known.book, known.used = self._update(label, known.used, most, at), {}
        self._known[label] = known
        return {value for value in values if value in known.book}

    def all(self, at: datetime) -> Mapping[str, Book]:
        """Return every label and its values. at: now, for values of which no use is known."""
        rows = self._rows.query(_PARTITION)
        return {row.text("label") or row.key: self._book(row, at) for row in rows}

    def free(self, label: str, values: Iterable[str], at: datetime) -> Sequence[str]:
        """Drop the values from the label's book; return those that were in it.

        Raises:
            RetryLater: the store did not answer, or others were faster too often.
        """
        for _ in range(ATTEMPTS):
            row = self._rows.get(_PARTITION, text_key_of(label))
            book = self._book(row, at)
            freed = [value for value in values if value in book]
            left = {value: use for value, use in book.items() if value not in freed}
            if not freed or self._written(label, row, left):
                return freed
        raise RetryLater("Others add values of this label. Ask again.")

    def _read(self, label: str, at: datetime) -> _Known:
        used = self._known[label].used if label in self._known else {}
        return _Known(self._book(self._rows.get(_PARTITION, text_key_of(label)), at), at, used)

    def _update(self, label: str, used: Mapping[str, str], most: int, at: datetime) -> Book:
        """Note in the book what was used, and add new values; return the book as it is then."""
        for _ in range(ATTEMPTS):
            row = self._rows.get(_PARTITION, text_key_of(label))
            stored = self._book(row, at)
            book = _grown(stored, used, most, at)
            if book == stored or self._written(label, row, book):
                return book
        raise RetryLater("Others added label values; the queue brings the message again.")

    def _book(self, row: Row | None, at: datetime) -> Book:
        """Read a book; of the edition before, which wrote a list, each value counts as used now."""
        stored = self._copies.attempt(_stored, row) if row else None
        if isinstance(stored, list):
            return {value: Use(_hour(at), "") for value in cast("list[str]", stored)}
        uses = cast("dict[str, tuple[int, str]]", stored or {})
        return {value: Use(*use) for value, use in uses.items()}

    def _written(self, label: str, row: Row | None, book: Book) -> bool:
        """Store the book in place of that row; return False where others were faster."""
        text = json.dumps(dict(sorted(book.items())), ensure_ascii=False, separators=(",", ":"))
        advice = f"the values of {label}. Lower LABEL_MAX_VALUES and SERIES_MAX."
        fields = {"label": label, **packed(text, advice)}
        key = text_key_of(label)
        change: Change = Replace(key, fields, row.etag) if row else Insert(key, fields)
        try:
            self._rows.commit(_PARTITION, [change])
        except Conflict:
            return False
        return True


def text_key_of(label: str) -> str:
    """Return the key of a label's row, as it always was: padded."""
    key = text_key(label)
    return key + "=" * (-len(key) % 4)


def _stored(row: Row) -> object:
    return json.loads(unpacked(row))


def _is_due(book: Book, values: Mapping[str, str], most: int, at: datetime) -> bool:
    """Return whether the book is to be written: for new values, or for what was used of it."""
    oldest = _hour(at - NOTED_EVERY)
    if any(book[value].hour < oldest for value in values if value in book):
        return True
    return any(_may_join(book, value, sender, most, at) for value, sender in values.items())


def _grown(stored: Book, used: Mapping[str, str], most: int, at: datetime) -> Book:
    """Return the book with what was used noted, and new values added while there is room."""
    now = _hour(at)
    book = {value: Use(now, use.sender) if value in used else use for value, use in stored.items()}
    for value, sender in sorted(used.items()):
        if _may_join(book, value, sender, most, at):
            if len(book) >= most:
                book = _without_unused(book, at)
            book[value] = Use(now, _digest(sender))
    return book


def _may_join(book: Book, value: str, sender: str, most: int, at: datetime) -> bool:
    """Return whether a new value may join: there is room, and its sender has some left."""
    if value in book:
        return False
    if len(book) >= most:
        book = _without_unused(book, at)
    brought = Counter(use.sender for use in book.values())[_digest(sender)]
    return len(book) < most and brought < max(1, -(-most * 3 // 4))


def _without_unused(book: Book, at: datetime) -> Book:
    oldest = _hour(at - UNUSED_FOR)
    return {value: use for value, use in book.items() if use.hour >= oldest}


def _digest(sender: str) -> str:
    return sha256(sender.encode()).hexdigest()[:8] if sender else ""


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // _HOUR_S
