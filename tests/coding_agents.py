"""What coding agents sent, as it was recorded, and how it is read."""

from pathlib import Path

from shared.adapters.otlp.logs import read_logs
from shared.adapters.otlp.traces import read_traces
from shared.events.otlp.span import Span

RECORDINGS = Path(__file__).parent / "recordings"


def body_of(name: str) -> bytes:
    """Return a recorded request; name: as in "codex.logs"."""
    return (RECORDINGS / f"{name}.json").read_bytes()


def recorded(name: str) -> list[Span]:
    """Return the spans of a recorded request, those of log records included."""
    read = read_logs if name.endswith(".logs") else read_traces
    found = read(body_of(name), "application/json")
    return [one for one in found if isinstance(one, Span)]
