"""Finds under which event a call is counted, where several report it or lie around each other.

Each event that its message claimed leads to another where that one was claimed by its own message
and is the same call, or includes this one; the last of the line is counted. Claims and their notes
never change, so that every processor comes to the same, whichever of them is faster:

- Of events that lead in a circle, as messages that are processed at once may, the one with the
  smallest key is counted.
- A call that came first, without usage, stands for one of those inside it: for the first that
  claims to be that one. The others are calls of their own.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from shared.claim_ports import Claims
from shared.usecases.processing.claim_note import REPEATED, ClaimNote, read_note, repeated_by

MOST_ROUNDS = 32
"""Of questions to the claims, at which a line is given up; each step takes three at most."""
_PART = ":part"
"""Ends the claim that says for which of the calls inside it a call without usage stands."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a call is counted under.

    key: of its claim. note: what the claim keeps, None where its own message has yet to make it.
    is_covered: it includes the call, and others.
    """

    key: str
    note: ClaimNote | None
    is_covered: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of claims by now.

    notes: claim key → its note, None where it is not claimed. held: claim key → holder.
    """

    notes: dict[str, ClaimNote | None]
    held: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Group:
    """Events that lead to each other. is_around: it was reached as what includes those before."""

    keys: frozenset[str]
    is_around: bool = False


class _Unread(Exception):
    """What has to be read, or claimed, to go on. keys: of events. claims: key → wanted by."""

    def __init__(self, keys: Iterable[str] = (), claims: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.keys = set(keys)
        self.claims = dict(claims or {})


class CountedUnder:
    """Follows the lines of events, and claims what decides them on behalf of their owners."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def find(self, keys: Iterable[str], known: Known, now: datetime) -> Mapping[str, Counted]:
        """Return for each event under which it is counted; those whose line is too long are left
        out.

        known: grows by what is read.
        Raises:
            RetryLater: the store did not answer.
        """
        found: dict[str, Counted] = {}
        waiting = set(keys)
        for _ in range(MOST_ROUNDS):
            unread = _Unread()
            for key in sorted(waiting):
                try:
                    found[key] = _follow(key, known)
                except _Unread as more:
                    unread.keys |= more.keys
                    unread.claims |= more.claims
            waiting -= found.keys()
            if not waiting:
                break
            self._read(unread, known, now)
        return found

    def _read(self, unread: _Unread, known: Known, now: datetime) -> None:
        if unread.keys:
            texts = self._claims.notes(unread.keys)
            known.notes.update((key, _parsed(texts.get(key))) for key in unread.keys)
        if unread.claims:
            wanted, notes = on_behalf(unread.claims, known.notes)
            known.held.update(self._claims.claim(wanted, now, seen_before=True, notes=notes))


def on_behalf(
    claims: Mapping[str, str], of: Mapping[str, ClaimNote | None]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the claims that decide whether an event is counted, with their holders and notes.

    claims: what decides → the event that wants it. of: the events' notes.
    """
    wanted: dict[str, str] = {}
    notes: dict[str, str] = {}
    for claim, key in claims.items():
        note = of[key] or ClaimNote()
        wanted[claim] = note.claims(key).get(claim, key)
        if wanted[claim] == REPEATED:
            notes[claim] = repeated_by(key, is_around=note.is_inside(claim)).text() or ""
    return wanted, notes


def _follow(start: str, known: Known) -> Counted:
    """Return what is counted at the end of the line."""
    line = [_Group(frozenset([start]))]
    while (following := _after(line[-1].keys, known)) is not None:
        key, is_around = following
        at = next((i for i, group in enumerate(line) if key in group.keys), None)
        if at is None:
            line.append(_Group(frozenset([key]), is_around))
        else:
            circle = frozenset[str]().union(*(group.keys for group in line[at:]))
            line[at:] = [_Group(circle, line[at].is_around)]
    notes = {key: _note(key, known) for key in line[-1].keys}
    root = min([key for key, note in notes.items() if not (note and note.repeats)] or notes)
    is_covered = any(group.is_around for group in line)
    return Counted(root, notes[root], is_covered)


def _after(keys: Set[str], known: Known) -> tuple[str, bool] | None:
    """Return where the events lead to outside themselves, and whether that includes them."""
    steps = (_step(key, keys, known) for key in sorted(keys))
    return next((step for step in steps if step is not None), None)


def _step(key: str, circle: Set[str], known: Known) -> tuple[str, bool] | None:
    note = _note(key, known) or ClaimNote()
    if note.repeats:
        return None if note.repeats in circle else (note.repeats, note.repeats in note.around)
    for other in _others(key, note, known):
        if other not in circle and _leads(key, note, other, known):
            return other, note.is_inside(other) and _has_usage(other, known)
    return None


def _others(key: str, note: ClaimNote, known: Known) -> Iterator[str]:
    """Yield the events that were claimed beside this one, those of the same call first."""
    claims = note.claims(key)
    if unread := [claim for claim in claims if claim not in known.held]:
        raise _Unread(claims=dict.fromkeys(unread, key))
    for claim, wanted_by in claims.items():
        if (holder := known.held[claim]) != wanted_by:
            yield claim if wanted_by == REPEATED else holder


def _leads(key: str, note: ClaimNote, other: str, known: Known) -> bool:
    """Return whether the other event stands for this one."""
    if other not in note.around or _has_usage(other, known):
        return True
    outer = _note(other, known) or ClaimNote()
    return not outer.repeats and outer.may_be(note) and _part(other, key, known) == key


def _has_usage(key: str, known: Known) -> bool:
    note = _note(key, known)
    return note is not None and note.has_usage


def _part(outer: str, key: str, known: Known) -> str:
    """Return for which event inside it the outer one stands."""
    claim = f"{outer}{_PART}"
    if claim not in known.held:
        raise _Unread(claims={claim: key})
    return known.held[claim]


def _parsed(text: str | None) -> ClaimNote | None:
    return None if text is None else read_note(text)


def _note(key: str, known: Known) -> ClaimNote | None:
    if key not in known.notes:
        raise _Unread(keys=[key])
    return known.notes[key]
