"""Reads a recorded trace of model calls, and remembers when it was first played."""

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ValidationError

from shared.errors import Misconfigured
from shared.moments import read_moment

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
REMEMBERED = timedelta(days=8)
"""How long the API knows a call again: the life of a claim."""


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call. row: its place in the file, from 1."""

    row: int
    at: datetime
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded file, its calls in the order of their times. digest: of the file's bytes."""

    name: str
    digest: str
    calls: tuple[Call, ...]

    @property
    def length(self) -> timedelta:
        """The time from the first call to the last."""
        return self.calls[-1].at - self.calls[0].at


class Play(BaseModel, frozen=True):
    """What makes a repeat the same events: kept on disk from before the first one is sent.

    key: stands for the file's content, the provider and the model. source: of the events.
    last_call_at: the moment to which the last call was moved.
    """

    key: str
    source: str
    last_call_at: AwareDatetime


def read_trace(path: Path) -> Trace:
    """Read a CSV file with the columns TIMESTAMP, ContextTokens and GeneratedTokens.

    A time without a zone is UTC; its digits beyond the microsecond are dropped.
    Raises:
        Misconfigured: there is no such file, or a row of it is wrong, which is named.
    """
    try:
        content = path.read_bytes()
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{path} cannot be read ({exc}). Name a CSV file.") from exc
    if missing:
        raise Misconfigured(
            f"{path} has no column {', '.join(missing)}. Its first line must name "
            f"{','.join(COLUMNS)}."
        )
    calls = [_call(path, number, row) for number, row in enumerate(rows, start=1)]
    if not calls:
        raise Misconfigured(f"{path} holds no calls. Name a file with a row for each call.")
    calls.sort(key=lambda call: call.at)
    return Trace(path.stem, hashlib.sha256(content).hexdigest(), tuple(calls))


def _call(path: Path, number: int, row: Mapping[str, str | None]) -> Call:
    """Read one row."""
    when, taken_in, put_out = (row[name] or "" for name in COLUMNS)
    try:
        call = Call(number, read_moment(when.strip()), int(taken_in), int(put_out))
    except ValueError as exc:
        raise Misconfigured(f"{path}, row {number}: {exc}. Correct the row.") from None
    if call.input_tokens < 0 or call.output_tokens < 0:
        raise Misconfigured(f"{path}, row {number}: tokens below zero. Correct the row.")
    return call


def recall(folder: Path, trace: Trace, priced_as: tuple[str, str], last_call_at: datetime) -> Play:
    """Return the play as it was the first time, or remember a new one that ends as asked.

    priced_as: provider and model; the same file under other names is another play.
    Raises:
        Misconfigured: the first time is so long ago that the API would count the calls again.
    """
    parts = (trace.digest, *priced_as)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    names = "-".join(quote(name, safe="")[:60] for name in priced_as)
    path = folder / f"{key}-{names}.json"
    if not path.exists():
        _write(path, Play(key=key, source=f"play/{trace.name}", last_call_at=last_call_at))
    play = _read(path)
    if last_call_at - play.last_call_at > REMEMBERED:
        raise Misconfigured(
            f"This play ended at {play.last_call_at:%Y-%m-%d %H:%MZ}, and the API knows a call "
            f"again for {REMEMBERED.days} days: a repeat would be counted as well. Delete {path} "
            "to play the file as new calls."
        )
    return play


def _write(path: Path, play: Play) -> None:
    """Write it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_text(play.model_dump_json(indent=2), encoding="utf-8")
    half.replace(path)


def _read(path: Path) -> Play:
    try:
        return Play.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        raise Misconfigured(f"{path} is damaged. Delete it to play the file as new calls.") from exc
