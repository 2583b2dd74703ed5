"""Texts by name in Azure Tables, compressed."""

from azure.data.tables import TableServiceClient

from shared.adapters.storage_tables import Rows
from shared.adapters.tables_row import packed, unpacked, upsert

_PARTITION = "texts"


class TableTexts:
    """A row per text; fits price_book.Texts. Names hold none of `/`, `\\`, `#` and `?`."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = Rows(service, "texts")

    def read(self, name: str) -> str | None:
        """Return the text by that name, or None."""
        row = self._rows.get(_PARTITION, name)
        return unpacked(row) if row else None

    def write(self, name: str, text: str) -> None:
        """Keep the text in place of what had that name."""
        fields = packed(text, f"{name}. Remove entries that nobody's calls reach back to.")
        self._rows.commit([upsert(_PARTITION, name, fields)])
