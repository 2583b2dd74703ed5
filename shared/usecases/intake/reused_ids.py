"""Notices events whose id came before with other content, as far back as an instance remembers."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

from pydantic_core import to_json

MOST_REMEMBERED = 20_000
MOST_SAID = 100
"""Warnings of one answer."""
REUSED = (
    "The id came before with other content. It counts once: a later report of a model call "
    "corrects the first where it knows more, any other changes nothing. Give each event its own id."
)


@dataclass(frozen=True, slots=True)
class Warned:
    """An event that was taken, and of which its sender should know something. index: its place."""

    index: int
    id: str
    warning: str


class ReusedIds:
    """Remembers the last identities with what came under them; safe for any number of threads."""

    def __init__(self) -> None:
        self._contents: dict[tuple[str, str], int] = {}
        self._using = threading.Lock()

    def among(self, given: Sequence[object], refused: Collection[int]) -> list[Warned]:
        """Return the events that came before with other content, and remember all.

        given: as sent, of which those at the indexes `refused` were not taken.
        """
        found: list[Warned] = []
        with self._using:
            for index, value in enumerate(given):
                if index not in refused and self._differs(cast("dict[str, object]", value)):
                    found.append(Warned(index, str(cast("dict[str, str]", value)["id"]), REUSED))
        return found[:MOST_SAID]

    def _differs(self, event: dict[str, object]) -> bool:
        """Tell whether the event came before otherwise; its last content is what counts."""
        identity = str(event["source"]), str(event["id"])
        content = hash((event["type"], to_json(event.get("data"))))
        before = self._contents.pop(identity, content)
        self._contents[identity] = content
        if len(self._contents) > MOST_REMEMBERED:
            del self._contents[next(iter(self._contents))]
        return before != content
