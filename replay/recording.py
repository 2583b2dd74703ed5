"""Recorded events from a file: one a line, as they were POSTed, each at its own time."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from shared.errors import Misconfigured
from shared.moments import Moment

GZIP_MAGIC = b"\x1f\x8b"


class _Timed(BaseModel):
    time: Moment


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event. number: its line, from 1. text: its JSON. at: the time that it says."""

    number: int
    text: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken, and why."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class Recording:
    """Events in the order of their times, and the lines that say no time."""

    events: Sequence[Recorded]
    refused: Sequence[Refused]


def read_recording(path: Path) -> Recording:
    """Read the file, unpacking it where it is gzip, whatever its name.

    Raises:
        Misconfigured: it cannot be read, or holds no event.
    """
    events: list[Recorded] = []
    refused: list[Refused] = []
    for number, text in enumerate(_content(path).splitlines(), start=1):
        if not text.strip():
            continue
        try:
            events.append(Recorded(number, text, _Timed.model_validate_json(text).time))
        except ValidationError as exc:
            refused.append(Refused(number, f"it says no time: {exc.errors()[0]['msg']}"))
    if not events:
        raise Misconfigured(
            f"{path} holds no event with a time. Write one event a line, as docs/replay.md shows."
        )
    return Recording(sorted(events, key=lambda event: event.at), refused)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP_MAGIC) else content
    except (OSError, EOFError, zlib.error) as exc:
        raise Misconfigured(f"{path} cannot be read ({exc}). Name a file with --events.") from exc
