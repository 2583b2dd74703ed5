"""Finds the call that a further report is of, and claims its correction, each once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from shared.claim_ports import Claims
from shared.errors import RetryLater
from shared.events.types import AnyEvent
from shared.pricing.cost import Cost
from shared.usecases.processing.claim_note import (
    REPEATED,
    ClaimNote,
    PriceOf,
    contradicts,
    improved,
    learnt,
    read_note,
)

MOST_STEPS = 4
"""From a report to the call that is counted, over reports that are not counted either."""
PATIENT = 3
"""Deliveries of a report that wait for the claim of its call, whose own message makes it now."""
MOST_CORRECTIONS = 8
"""Of a call; what comes later changes nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """An event of a call that is counted already.

    key: its own claim key. first: those to begin the search for that call at, the best first.
    is_part: that call may include others.
    """

    event: AnyEvent
    key: str
    first: tuple[str, ...]
    is_part: bool = False


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


@dataclass(frozen=True, slots=True)
class Corrections:
    """What reports of counted calls come to. contradicting: how many state other counts.

    apart: keys of reports that are calls of their own, as what is around them stands for another.
    """

    corrections: list[Correction]
    contradicting: int
    apart: frozenset[str] = frozenset()


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
        self, reports: Sequence[Report], holder: str, attempt: int, now: datetime
    ) -> Corrections:
        """Return the corrections that these reports make, as this message's to carry.

        holder: the message. attempt: its deliveries, with this one.
        Raises:
            RetryLater: the store did not answer, or the call's own message is just being processed.
        """
        if not reports:
            return Corrections([], 0)
        found = list(self._counted(reports, attempt <= PATIENT, now))
        made: list[Correction] = []
        apart = set[str]()
        waiting: Sequence[tuple[Report, str, ClaimNote]] = found
        while waiting:
            turn = {base: (report, known) for report, base, known in waiting[::-1]}
            waiting = [one for one in waiting if turn[one[1]][0] is not one[0]]
            made += self._in_turn(turn, holder, now, apart)
        others = [(report, known) for report, _, known in found if report.key not in apart]
        count = sum(contradicts(known, report.event) for report, known in others)
        return Corrections(made, count, frozenset(apart))

    def _in_turn(
        self,
        turn: Mapping[str, tuple[Report, ClaimNote]],
        holder: str,
        now: datetime,
        apart: set[str],
    ) -> Iterator[Correction]:
        """Claim for each call the first correction that is free, of one report.

        A call that came before those inside it stands for the first of them that tells its usage;
        the others are added to `apart`.
        """
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
                state = kept[name]
                if held[name] == mine[name]:
                    yield _correction(name, number, known, state, report)
                elif report.is_part and state.has_usage and not known.has_usage:
                    apart.add(report.key)
                else:
                    following[base] = (report, state)
            turn = following

    def _counted(
        self, reports: Sequence[Report], waits: bool, now: datetime
    ) -> Iterator[tuple[Report, str, ClaimNote]]:
        """Yield the reports of calls that are counted and can be corrected, with the call's key
        and what it was first counted as.

        A call in place of which another is counted leads to that one. To know, what decides it is
        claimed for it, as its own message does. A call around it is one of which nothing was known.
        """
        going = {index: report.first for index, report in enumerate(reports)}
        parts = {index for index, report in enumerate(reports) if report.is_part}
        for _ in range(MOST_STEPS):
            texts = self._claims.notes({key for keys in going.values() for key in keys})
            kept = _read(texts)
            wanted = {c: by for key, note in kept.items() for c, by in note.claims(key).items()}
            held = self._claims.claim(wanted, now, seen_before=True)
            onward: dict[int, tuple[str, ...]] = {}
            for index, keys in going.items():
                key = next((key for key in keys if key in kept), None)
                if key is None:
                    if waits and keys and not texts.keys() & set(keys):
                        raise RetryLater("A call is being counted that a report adds to.")
                    continue
                note = kept[key]
                other = self._counted_instead(key, note, held, now)
                if other is not None:
                    onward[index] = (other,)
                    parts |= {index} if other in note.around else set()
                elif note.can_be_corrected(now) and not (index in parts and note.has_usage):
                    yield reports[index], key, note
            if not onward:
                return
            going = onward

    def _counted_instead(
        self, key: str, note: ClaimNote, held: Mapping[str, str], now: datetime
    ) -> str | None:
        """Return as counted_instead() does; None also where the call around this one stands for
        another one inside it."""
        other = counted_instead(key, note, held)
        if other is None or other not in note.around:
            return other
        names = [f"{other}:{number}" for number in range(1, MOST_CORRECTIONS + 1)]
        kept = self.kept((other, *names))
        first = next((name for name in names if name in kept and kept[name].has_usage), None)
        if first is None or other not in kept or kept[other].has_usage:
            return other
        holders = self._claims.claim({first: REPEATED, key: REPEATED}, now, seen_before=True)
        return other if holders[first] == _name(holders[key], key) else None


def counted_instead(key: str, note: ClaimNote, held: Mapping[str, str]) -> str | None:
    """Return the claim key of what is counted in place of this, None where this is counted.

    held: claim key → holder, of all that decides.
    """
    for claim, wanted_by in note.claims(key).items():
        holder = held[claim]
        if wanted_by == REPEATED and holder != REPEATED:
            return claim
        if wanted_by == key and holder != key:
            return holder
    return None


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
