"""Corrects calls by what further reports of them know, each correction claimed once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from shared.claim_ports import Claims
from shared.events.types import AnyEvent
from shared.pricing.cost import Cost
from shared.usecases.processing.claim_note import (
    ClaimNote,
    PriceOf,
    contradicts,
    improved,
    learnt,
    read_note,
)

MOST_CORRECTIONS = 8
"""Of a call; what comes later changes nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """An event of a call that is counted already.

    key: its own claim key. base, note: of what it is counted under.
    """

    event: AnyEvent
    key: str
    base: str
    note: ClaimNote


@dataclass(frozen=True, slots=True)
class Correction:
    """What a call is counted as from now on.

    key: of the claim of this correction. number: 1 for the first of the call. event, cost: of the
    call. before: what it was counted as. report: the event that corrects it. at: when the row of
    the call stands in the log. learnt: names of what was not known.
    """

    key: str
    number: int
    event: AnyEvent
    cost: Cost | None
    before: ClaimNote
    report: Report
    at: datetime
    learnt: tuple[str, ...]


class Correct:
    """Corrects calls by what further reports know.

    Each correction is a claim of its own, named by the call and its number, that keeps what the
    call is counted as from then on. Claims never change, so that a redelivery finds what it
    had claimed, and what was counted before.
    """

    def __init__(self, claims: Claims, price: PriceOf) -> None:
        self._claims = claims
        self._price = price

    def kept(self, keys: Iterable[str]) -> Mapping[str, ClaimNote]:
        """Return what the claims of these keys keep."""
        return _read(self._claims.notes(keys))

    def correct(
        self, reports: Sequence[Report], holder: str, now: datetime
    ) -> tuple[Sequence[Correction], int]:
        """Return the corrections that these reports make, as this message's to carry, and how many
        of the reports state other counts than their calls.

        holder: the message.
        Raises:
            RetryLater: the store did not answer.
        """
        useful = [one for one in reports if one.note.can_be_corrected(now)]
        made: list[Correction] = []
        waiting = useful
        while waiting:
            turn = {one.base: (one, one.note) for one in waiting[::-1]}
            waiting = [one for one in waiting if turn[one.base][0] is not one]
            made += self._in_turn(turn, holder, now)
        return made, sum(contradicts(one.note, one.event) for one in useful)

    def _in_turn(
        self, turn: Mapping[str, tuple[Report, ClaimNote]], holder: str, now: datetime
    ) -> Iterator[Correction]:
        """Claim for each call the first correction that is free, of one report."""
        for number in range(1, MOST_CORRECTIONS + 1):
            better = {
                base: note
                for base, (report, known) in turn.items()
                if (note := improved(known, report.event, self._price)) is not None
            }
            if not better:
                return
            names = {base: f"{base}:{number}" for base in better}
            mine = {names[base]: _name(holder, turn[base][0].key) for base in better}
            texts = {names[base]: note.text() or "" for base, note in better.items()}
            held = self._claims.claim(mine, now, seen_before=False, notes=texts)
            kept = self.kept(names.values())
            following: dict[str, tuple[Report, ClaimNote]] = {}
            for base, name in names.items():
                report, known = turn[base]
                if held[name] == mine[name]:
                    yield _correction(name, number, known, kept[name], report)
                else:
                    following[base] = (report, kept[name])
            turn = following


def _read(texts: Mapping[str, str]) -> Mapping[str, ClaimNote]:
    return {key: read_note(text) for key, text in texts.items() if text}


def _name(holder: str, key: str) -> str:
    """Name who claims a correction: one report of one message."""
    return sha256(f"{holder} {key}".encode()).hexdigest()[:32]


def _correction(
    name: str, number: int, before: ClaimNote, after: ClaimNote, report: Report
) -> Correction:
    event = after.event or report.event
    names = tuple(dict.fromkeys(learnt(before, after, report.event)))
    return Correction(name, number, event, after.cost, before, report, after.row_at(), names)
