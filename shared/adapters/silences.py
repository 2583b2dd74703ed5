"""What every store of silences does alike: their order, how one ends, how they are written."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from shared.alerting.muting import Silence

SILENCE = TypeAdapter(Silence)


def by_start(silences: Iterable[Silence]) -> list[Silence]:
    """Return the silences in the order of their starts."""
    return sorted(silences, key=lambda silence: (silence.starts_at, silence.id))


def ended(silence: Silence, at: datetime) -> Silence:
    """Return the silence as it is once somebody has ended it; one that has not begun never does."""
    if silence.ends_at <= at:
        return silence
    return replace(silence, starts_at=min(silence.starts_at, at), ends_at=at)


def written(silence: Silence) -> str:
    """Write the silence as JSON that SILENCE.validate_json reads back."""
    return SILENCE.dump_json(silence, by_alias=True).decode()
