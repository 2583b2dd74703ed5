"""Reads the recordings: what programs sent, and the calls that it must be understood as."""

import base64
import gzip
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from shared.adapters.otlp.traces import read_traces
from shared.events.otlp.media import PROTOBUF
from shared.events.otlp.span import Span

FOLDER = Path(__file__).parent / "data"


class Call(BaseModel, frozen=True, extra="forbid"):
    """A call as the model server logged it, as far as the program's spans tell it.

    input holds what was cached and written, output the reasoning. untold: counts that the spans
    leave out or get wrong, and which are here as the spans have them.
    """

    model: str
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0
    status: str = "success"
    agent: str = ""
    team: str = "red"
    conversation: str = ""
    user: str = ""
    untold: tuple[str, ...] = ()


class Recorded(BaseModel, frozen=True, extra="forbid"):
    """A program's exports, protobuf packed by gzip in base64, and its calls.

    made_with: packages.
    """

    made_with: str
    calls: tuple[Call, ...]
    exports: tuple[str, ...]

    def messages(self) -> list[list[Span]]:
        """Return the spans of each export."""
        bodies = [gzip.decompress(base64.b64decode(text)) for text in self.exports]
        found = [read_traces(body, PROTOBUF) for body in bodies]
        return [[one for one in spans if isinstance(one, Span)] for spans in found]


@cache
def recordings() -> dict[str, Recorded]:
    """Return every recording by its name."""
    return {
        path.stem: Recorded.model_validate_json(path.read_bytes())
        for path in sorted(FOLDER.glob("*.json"))
    }


def traces_of(messages: Sequence[Sequence[Span]]) -> set[str]:
    """Return the traces of the spans."""
    return {span.trace_id for spans in messages for span in spans}
