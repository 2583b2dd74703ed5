"""Texts by name, compressed."""

from shared.storage.packing import packed, unpacked
from shared.storage.quarantine import Copies
from shared.storage.rows import Put, Rows

_PARTITION = "texts"


class RowTexts:
    """A row per text; fits ports.Texts."""

    def __init__(self, rows: Rows, copies: Copies | None = None) -> None:
        """copies: where texts that cannot be read are kept; among the others, unless given."""
        self._rows = rows
        self._copies = copies or Copies(rows)

    def read(self, name: str) -> str | None:
        """Return the text by that name, None where there is none that can be read."""
        row = self._rows.get(_PARTITION, name)
        return self._copies.attempt(unpacked, row) if row else None

    def write(self, name: str, text: str) -> None:
        """Keep the text in place of what had that name."""
        fields = packed(text, f"{name}. Remove entries that no call reaches back to.")
        self._rows.commit(_PARTITION, [Put(name, fields)])
