"""Silences: so few that one partition holds them all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from shared.alerting.muting import Silence
from shared.errors import RetryLater
from shared.storage.packing import packed, parts_of, text_key
from shared.storage.quarantine import SILENCES, Quarantine, is_aside
from shared.storage.rows import (
    ATTEMPTS,
    Conflict,
    Delete,
    Fields,
    Put,
    Replace,
    Rows,
    commit_present,
)
from shared.storage.salvage import Whole

SILENCE = TypeAdapter(Silence)
_WHOLE = Whole(SILENCE)


class RowSilences:
    """Silences that every instance of the app shares; fits ports.SilenceStore."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._quarantine = Quarantine(rows)

    def all(self) -> Sequence[Silence]:
        """Return every silence that is kept, by start and id."""
        rows = [row for row in self._rows.query(SILENCES) if not is_aside(row)]
        silences = self._quarantine.readable(_WHOLE, rows)
        return sorted(silences, key=lambda silence: (silence.starts_at, silence.id))

    def add(self, silence: Silence) -> None:
        """Keep the silence; one with its id that is there already is replaced."""
        self._rows.commit(SILENCES, [Put(text_key(silence.id), silence_fields(silence))])

    def end(self, id: str, at: datetime) -> Silence | None:
        """End the silence at that moment and return it; None where there is none with that id.

        Raises:
            RetryLater: the store did not answer, or others were faster too often.
        """
        for _ in range(ATTEMPTS):
            row = self._rows.get(SILENCES, text_key(id)) if id else None
            found = self._quarantine.readable(_WHOLE, [row] if row else [])
            if row is None or not found:
                return None
            silence = ended(found[0], at)
            try:
                change = Replace(row.key, silence_fields(silence), row.etag)
                self._rows.commit(SILENCES, [change])
            except Conflict:
                continue
            return silence
        raise RetryLater("Others change this silence. Ask again.")

    def forget(self, before: datetime) -> int:
        """Drop silences that ended before that moment; return how many."""
        old = [text_key(silence.id) for silence in self.all() if silence.ends_at < before]
        return sum(
            commit_present(self._rows, SILENCES, [Delete(key) for key in some])
            for some in parts_of(old)
        )


def silence_fields(silence: Silence) -> Fields:
    """Return the fields of a silence."""
    text = SILENCE.dump_json(silence, by_alias=True).decode()
    return packed(text, "a silence. Shorten its comment.")


def ended(silence: Silence, at: datetime) -> Silence:
    """Return the silence as it is once a person has ended it; one that has not begun never does."""
    if silence.ends_at <= at:
        return silence
    return replace(silence, starts_at=min(silence.starts_at, at), ends_at=at)
