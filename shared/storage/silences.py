"""Silences: so few that one partition holds them all."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from shared.alerting.muting import Silence
from shared.errors import RetryLater
from shared.storage.packing import packed, parts_of, text_key, unpacked
from shared.storage.rows import (
    ATTEMPTS,
    Conflict,
    Delete,
    Fields,
    Put,
    Replace,
    Row,
    Rows,
    commit_present,
)
from shared.storage.salvage import readable

SILENCE = TypeAdapter(Silence)
_PARTITION = "silences"


class RowSilences:
    """Silences that every instance of the app shares; fits ports.SilenceStore."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def all(self) -> Sequence[Silence]:
        """Return every silence that is kept, by start and id."""
        return by_start(readable(SILENCE, map(unpacked, self._rows.query(_PARTITION))))

    def add(self, silence: Silence) -> None:
        """Keep the silence; one with its id that is there already is replaced."""
        self._rows.commit(_PARTITION, [Put(text_key(silence.id), silence_fields(silence))])

    def end(self, id: str, at: datetime) -> Silence | None:
        """End the silence at that moment and return it; None where there is none with that id.

        Raises:
            RetryLater: the store did not answer, or others were faster too often.
        """
        for _ in range(ATTEMPTS):
            row = self._rows.get(_PARTITION, text_key(id)) if id else None
            if row is None:
                return None
            silence = ended(_silence(row), at)
            try:
                change = Replace(row.key, silence_fields(silence), row.etag)
                self._rows.commit(_PARTITION, [change])
            except Conflict:
                continue
            return silence
        raise RetryLater("Others change this silence. Ask again.")

    def forget(self, before: datetime) -> int:
        """Drop silences that ended before that moment; return how many."""
        old = [text_key(silence.id) for silence in self.all() if silence.ends_at < before]
        return sum(
            commit_present(self._rows, _PARTITION, [Delete(key) for key in some])
            for some in parts_of(old)
        )


def silence_fields(silence: Silence) -> Fields:
    """Return the fields of a silence."""
    text = SILENCE.dump_json(silence, by_alias=True).decode()
    return packed(text, "a silence. Shorten its comment.")


def _silence(row: Row) -> Silence:
    return SILENCE.validate_json(unpacked(row))


def by_start(silences: Iterable[Silence]) -> list[Silence]:
    """Return the silences in the order of their starts."""
    return sorted(silences, key=lambda silence: (silence.starts_at, silence.id))


def ended(silence: Silence, at: datetime) -> Silence:
    """Return the silence as it is once a person has ended it; one that has not begun never does."""
    if silence.ends_at <= at:
        return silence
    return replace(silence, starts_at=min(silence.starts_at, at), ends_at=at)
