"""Claims, by which an event is counted once, as Protocols that the stores over rows fit."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.events.otlp.record import Record


class Claims(Protocol):
    """Who carries which event: what makes counting once possible."""

    def claim(
        self,
        wanted: Mapping[str, str],
        at: datetime,
        *,
        seen_before: bool,
        notes: Mapping[str, str] = ...,
    ) -> Mapping[str, str]:
        """Take each key for its holder unless another has it; return who holds each key now.

        wanted: key → holder, keys and holders of at most 64 characters of [0-9a-z:-].
        at: now; claims older than 8 days may be forgotten.
        seen_before: the message comes a second time, so that most keys will be there already;
            a hint for speed only.
        notes: key → a text of some hundred characters that is kept with its claim, where it is
            taken; it never changes.
        Raises:
            RetryLater: the store did not answer; nothing, or a part, was taken for its holder.
        """
        ...

    def notes(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Return what is kept with the claims of these keys, "" for nothing; those that are not
        claimed are left out."""
        ...

    def done(self, keys: Iterable[str]) -> None:
        """Note that the events of these claimed keys were exported; a repeat does no harm."""
        ...

    def is_done(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that were noted as exported."""
        ...

    def forget(self, before: datetime) -> int:
        """Drop claims taken before that moment; return how many."""
        ...


class TraceMemory(Protocol):
    """What the spans of a trace said, whichever message brought them."""

    def remember(
        self, batch: str, records: Mapping[str, Sequence[Record]], at: datetime
    ) -> Mapping[str, Sequence[Record]]:
        """Add what a message says of each trace; return all that is known of it, this included,
        and of the meetings of what is known.

        batch: names the message; the same again changes nothing.
        Raises:
            RetryLater: the store did not answer.
        """
        ...

    def forget(self, before: datetime) -> int:
        """Drop what was said before that moment; return how many rows."""
        ...
