"""Lists, adds and ends silences for an operator."""

from collections.abc import Callable, Sequence
from datetime import datetime

from shared.alerting.muting import Silence
from shared.alerting.silences import ALWAYS, parse_silence
from shared.errors import NotFound
from shared.store_ports import SilenceStore

Shown = dict[str, object]


class Silences:
    """The silences that people made, and the maintenance windows of config/routes.toml."""

    def __init__(self, store: SilenceStore, maintenance: Callable[[], Sequence[Silence]]) -> None:
        self._store = store
        self._maintenance = maintenance

    def all(self) -> Sequence[Silence]:
        """Return everything that may mute an alert, now or at another time."""
        return (*self._maintenance(), *self._store.all())

    def listed(self, now: datetime) -> Shown:
        """Return every silence with its state, those that ended in the last days included."""
        return {"silences": [_shown(silence, now) for silence in self.all()]}

    def add(self, body: bytes, now: datetime) -> Shown:
        """Keep the silence of this JSON and return it.

        Raises:
            InvalidEvent: names every wrong field at once.
        """
        silence = parse_silence(body, now)
        self._store.add(silence)
        return _shown(silence, now)

    def end(self, id: str, now: datetime) -> Shown:
        """End a silence and return it.

        Raises:
            NotFound: there is none with that id.
        """
        silence = self._store.end(id, now)
        if silence is None:
            raise NotFound(
                f"There is no silence {id!r}. GET /api/silences lists them; a maintenance window "
                "is ended in config/routes.toml."
            )
        return _shown(silence, now)


def _shown(silence: Silence, now: datetime) -> Shown:
    """Return a silence as JSON values."""
    return {
        "id": silence.id,
        "kind": silence.kind,
        "state": silence.state(now),
        "problem": silence.problem,
        "matchers": [str(matcher) for matcher in silence.matchers],
        "starts_at": _iso(silence.starts_at),
        "ends_at": _iso(silence.ends_at),
        "recurrence": silence.recurrence
        and silence.recurrence.model_dump(mode="json", by_alias=True),
        "author": silence.author,
        "comment": silence.comment,
    }


def _iso(moment: datetime) -> str | None:
    """Write a moment; None for the ends of time, which a maintenance window may have."""
    return None if moment in ALWAYS else moment.isoformat()
