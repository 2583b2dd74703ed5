"""What became of the events of a meter."""

from __future__ import annotations

from typing import NamedTuple


class Stats(NamedTuple):
    """Counts of this process; `recorded` is the sum of sent, refused, dropped, waiting and spooled,
    unless the spool held events of an earlier process.

    refused: never to be taken, each logged. dropped: for want of room or time. waiting: in memory.
    spooled: on disk. requests: made, failures: of those. last_error: the latest of either.
    """

    recorded: int
    sent: int
    refused: int
    dropped: int
    waiting: int
    spooled: int
    requests: int
    failures: int
    last_error: str | None
