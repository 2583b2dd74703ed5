"""Claims: a row per claim, in few partitions, beside rows that list the claims of an hour."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from shared.errors import RetryLater
from shared.storage.claim_layouts import Layout, Layouts
from shared.storage.packing import hour_of, parts_of, unpacked
from shared.storage.quarantine import Copies
from shared.storage.rows import (
    ATTEMPTS,
    Change,
    Delete,
    Fields,
    Insert,
    Merge,
    Row,
    Rows,
    Transaction,
    commit_present,
)

_MOST_CLAIMS = 99
"""Of a transaction, which also lists them."""
NOTHING: Mapping[str, str] = {}
_NOTE = "told"
"""The field that holds a claim's note; editions before this one read it, too."""


class RowClaims:
    """Claims that every instance of the app shares; fits ports.Claims.

    forget() drops whole hours: those of which no part lies after the moment given.
    """

    def __init__(self, rows: Rows, partitions: int, copies: Copies | None = None) -> None:
        """partitions: over how many the claims are spread; see claim_layouts.

        copies: where listings that cannot be read are kept; among the claims, unless given.
        """
        self._rows = rows
        self._copies = copies or Copies(rows)
        self._layouts = Layouts(rows, partitions)

    def claim(
        self,
        wanted: Mapping[str, str],
        at: datetime,
        *,
        seen_before: bool,
        notes: Mapping[str, str] = NOTHING,
    ) -> Mapping[str, str]:
        """Take each key for its holder unless another has it; return who holds each key now.

        notes: key → what is kept with its claim, where it is taken.

        While the claims of an older layout are honoured, its answer is what is claimed in the
        newer one: a process that knows either layout meets the same holder.
        Raises:
            RetryLater: the store did not answer; nothing, or a part, was taken.
        """
        held = wanted
        for layout in self._layouts.at(at):
            mine = {key: notes[key] for key in notes if held[key] == wanted[key]}
            held = self._claim(layout, held, at, seen_before=seen_before, notes=mine)
        return held

    def notes(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Return what was kept with the claims of these keys, "" for nothing; those that are not
        claimed are left out."""
        wanted = list(keys)
        kept: dict[str, str] = {}
        for layout in self._layouts.known():
            found = self._rows.get_each([layout.place(key) for key in wanted], _NOTE)
            for key, row in zip(wanted, found, strict=True):
                if row:
                    kept[key] = str(row.fields.get(_NOTE, "")) or kept.get(key, "")
        return kept

    def done(self, keys: Iterable[str]) -> None:
        """Note that the events of these claimed keys were exported."""
        current = self._layouts.known()[-1]
        marks: list[tuple[str, list[Change]]] = [
            (partition, [Merge(current.place(key)[1], {"done": True}) for key in some])
            for partition, some in _grouped(current, set(keys))
        ]
        made = self._rows.commit_each([Transaction(*one) for one in marks])
        for (partition, changes), is_made in zip(marks, made, strict=True):
            if not is_made:
                commit_present(self._rows, partition, changes)

    def is_done(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that were noted as exported."""
        wanted = list(keys)
        done: set[str] = set()
        for layout in self._layouts.known():
            found = self._rows.get_each([layout.place(key) for key in wanted], "done")
            pairs = zip(wanted, found, strict=True)
            done.update(key for key, row in pairs if row and row.fields.get("done"))
        return done

    def forget(self, before: datetime) -> int:
        """Drop the claims of the hours before that moment's; return how many."""
        return sum(
            self._forget(layout, listing)
            for layout in self._layouts.at(before)
            for listing in layout.listings(self._rows, hour_of(before))
        )

    def _claim(
        self,
        layout: Layout,
        wanted: Mapping[str, str],
        at: datetime,
        *,
        seen_before: bool,
        notes: Mapping[str, str],
    ) -> Mapping[str, str]:
        held = self._read(layout, wanted) if seen_before else {}
        for _ in range(ATTEMPTS):
            missing = {key: holder for key, holder in wanted.items() if key not in held}
            if not missing:
                return held
            held |= self._take(layout, missing, hour_of(at), notes)
            held |= self._read(layout, missing.keys() - held.keys())
        if len(held) == len(wanted):
            return held
        raise RetryLater("Claims come and go too fast; the queue brings the message again.")

    def _take(
        self, layout: Layout, claims: Mapping[str, str], hour: str, notes: Mapping[str, str]
    ) -> dict[str, str]:
        """Insert the claims; return those of the transactions that met no other's claim.

        Each transaction lists its claims under the hour, for forget().
        """
        groups = list(_grouped(layout, claims))
        made = self._rows.commit_each(
            [
                Transaction(
                    partition,
                    [
                        *(
                            Insert(layout.place(key)[1], _fields(claims[key], notes.get(key)))
                            for key in keys
                        ),
                        layout.listing(keys, hour),
                    ],
                )
                for partition, keys in groups
            ]
        )
        taken = [keys for (_, keys), is_made in zip(groups, made, strict=True) if is_made]
        return {key: claims[key] for keys in taken for key in keys}

    def _read(self, layout: Layout, keys: Iterable[str]) -> dict[str, str]:
        """Ask for each row by its key: a filter with `or` would read the whole partition."""
        wanted = list(keys)
        if not wanted:
            return {}
        rows = self._rows.get_each([layout.place(key) for key in wanted], "holder")
        return {key: row.text("holder") for key, row in zip(wanted, rows, strict=True) if row}

    def _forget(self, layout: Layout, listing: Row) -> int:
        """Delete the claims of a listing, then the listing."""
        dropped = 0
        listed = self._copies.attempt(unpacked, listing) or ""
        for partition, keys in _grouped(layout, listed.split()):
            changes = [Delete(layout.place(key)[1]) for key in keys]
            dropped += commit_present(self._rows, partition, changes)
        commit_present(self._rows, listing.partition, [Delete(listing.key)])
        return dropped


def _fields(holder: str, note: str | None) -> Fields:
    return {"holder": holder} if note is None else {"holder": holder, _NOTE: note}


def _grouped(layout: Layout, keys: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Group the keys into what one transaction takes."""
    partitions = defaultdict[str, list[str]](list)
    for key in keys:
        partitions[layout.place(key)[0]].append(key)
    for partition, group in partitions.items():
        for some in parts_of(group, _MOST_CLAIMS):
            yield partition, some
