"""Silences in Azure Tables: so few that one partition holds them all."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime

from azure.data.tables import TableServiceClient

from shared.adapters.salvage import readable
from shared.adapters.silences import SILENCE, by_start, ended, written
from shared.adapters.storage_tables import ATTEMPTS, Conflict, Rows
from shared.adapters.tables_row import (
    Fields,
    Row,
    delete,
    packed,
    parts_of,
    replace,
    unpacked,
    upsert,
)
from shared.alerting.muting import Silence
from shared.errors import RetryLater

_PARTITION = "silences"


class TableSilences:
    """Silences that every instance of the app shares; fits ports.SilenceStore."""

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = Rows(service, "silences")

    def all(self) -> Sequence[Silence]:
        """Return every silence that is kept, by start and id."""
        return by_start(
            readable(SILENCE, map(unpacked, self._rows.query(f"PartitionKey eq '{_PARTITION}'")))
        )

    def add(self, silence: Silence) -> None:
        """Keep the silence; one with its id that is there already is replaced."""
        self._rows.commit([upsert(_PARTITION, _key(silence.id), _fields(silence))])

    def end(self, id: str, at: datetime) -> Silence | None:
        """End the silence at that moment and return it; None where there is none with that id.

        Raises:
            RetryLater: the table did not answer, or others were faster too often.
        """
        for _ in range(ATTEMPTS):
            row = self._rows.get(_PARTITION, _key(id))
            if row is None:
                return None
            silence = ended(_silence(row), at)
            try:
                self._rows.commit([replace(_PARTITION, row.key, _fields(silence), row.etag)])
            except Conflict:
                continue
            return silence
        raise RetryLater("Others change this silence. Ask again.")

    def forget(self, before: datetime) -> int:
        """Drop silences that ended before that moment; return how many."""
        old = [_key(silence.id) for silence in self.all() if silence.ends_at < before]
        return sum(
            self._rows.commit_present([delete(_PARTITION, key) for key in some])
            for some in parts_of(old)
        )


def _silence(row: Row) -> Silence:
    return SILENCE.validate_json(unpacked(row))


def _fields(silence: Silence) -> Fields:
    return packed(written(silence), "a silence. Shorten its comment.")


def _key(id: str) -> str:
    """Return a key that Azure Tables takes, whatever the id that somebody asks for."""
    return urlsafe_b64encode(id.encode()).decode().rstrip("=")
