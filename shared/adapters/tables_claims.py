"""Claims in Azure Tables: a row per claim, and rows that list the claims of an hour."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from azure.data.tables import TableServiceClient

from shared.adapters.storage_tables import ATTEMPTS, Conflict, Rows, in_parallel
from shared.adapters.tables_row import (
    create,
    delete,
    hour_of,
    merge,
    packed,
    parts_of,
    unpacked,
    upsert,
)
from shared.errors import RetryLater

_PARTITION = 3
"""A key is split after its kind and first hex digit, `e:3`: a batch of any size then needs few
transactions, and no partition is asked for more than 2,000 rows a second."""
_HOUR = "hour-"


class _Held(NamedTuple):
    holder: str
    hour: str


class TableClaims:
    """Claims that every instance of the app shares; fits ports.Claims.

    forget() drops whole hours: those of which no part lies after the moment given.
    """

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = Rows(service, "claims")

    def claim(
        self, wanted: Mapping[str, str], at: datetime, *, seen_before: bool
    ) -> Mapping[str, str]:
        """Take each key for its holder unless another has it; return who holds each key now.

        Raises:
            RetryLater: the table did not answer; nothing, or a part, was taken.
        """
        hour = hour_of(at)
        held = self._read(wanted) if seen_before else {}
        for _ in range(ATTEMPTS):
            missing = wanted.keys() - held.keys()
            held |= self._take({key: _Held(wanted[key], hour) for key in missing})
            held |= self._read(missing - held.keys())
            if len(held) == len(wanted):
                break
        else:
            raise RetryLater("Claims come and go too fast; the queue brings the message again.")
        self._list({key: now for key, now in held.items() if now.holder == wanted[key]})
        return {key: now.holder for key, now in held.items()}

    def done(self, keys: Iterable[str]) -> None:
        """Note that the events of these claimed keys were exported."""
        in_parallel(self._mark, _batches(set(keys)))

    def is_done(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that were noted as exported."""
        wanted = list(keys)
        found = in_parallel(lambda key: self._rows.get(*_place(key), "done"), wanted)
        return {
            key for key, row in zip(wanted, found, strict=True) if row and row.fields.get("done")
        }

    def forget(self, before: datetime) -> int:
        """Drop the claims of the hours before that moment's; return how many."""
        old = f"PartitionKey ge '{_HOUR}' and PartitionKey lt '{_HOUR}{hour_of(before)}'"
        dropped = 0
        for lists in parts_of(self._rows.query(old)):
            keys = {key for row in lists for key in unpacked(row).split()}
            dropped += sum(in_parallel(self._drop, _batches(keys)))
            by_hour = defaultdict[str, list[str]](list)
            for row in lists:
                by_hour[row.partition].append(row.key)
            for hour, names in by_hour.items():
                self._rows.commit_present([delete(hour, name) for name in names])
        return dropped

    def _take(self, claims: Mapping[str, _Held]) -> dict[str, _Held]:
        """Insert the claims; return those of the transactions that met no other's claim."""

        def insert(keys: list[str]) -> list[str]:
            try:
                self._rows.commit([create(*_place(key), claims[key]._asdict()) for key in keys])
            except Conflict:
                return []
            return keys

        taken = in_parallel(insert, _batches(claims))
        return {key: claims[key] for keys in taken for key in keys}

    def _read(self, keys: Collection[str]) -> dict[str, _Held]:
        """Ask for each row by its key: a filter with `or` would read the whole partition."""
        rows = in_parallel(lambda key: self._rows.get(*_place(key), *_Held._fields), keys)
        return {
            key: _Held(row.fields["holder"], row.fields["hour"])
            for key, row in zip(keys, rows, strict=True)
            if row
        }

    def _list(self, claims: Mapping[str, _Held]) -> None:
        """Note the claims under the hour that they were taken in, for forget().

        It comes after the claims, so that an hour lists none that another hour took again; where
        a crash comes between, the message returns and its claims are listed then.
        """
        by_hour = defaultdict[str, list[str]](list)
        for key, held in sorted(claims.items()):
            by_hour[held.hour].append(key)
        for hour, keys in by_hour.items():
            text = " ".join(keys)
            name = sha256(text.encode()).hexdigest()
            fields = packed(text, "the claims of one message. Lower BATCH_MAX_EVENTS.")
            self._rows.commit([upsert(_HOUR + hour, name, fields)])

    def _mark(self, keys: list[str]) -> int:
        return self._rows.commit_present([merge(*_place(key), {"done": True}) for key in keys])

    def _drop(self, keys: list[str]) -> int:
        return self._rows.commit_present([delete(*_place(key)) for key in keys])


def _place(key: str) -> tuple[str, str]:
    return key[:_PARTITION], key[_PARTITION:]


def _batches(keys: Iterable[str]) -> Iterable[list[str]]:
    """Group the keys into what one transaction takes."""
    partitions = defaultdict[str, list[str]](list)
    for key in keys:
        partitions[key[:_PARTITION]].append(key)
    for group in partitions.values():
        yield from parts_of(group)
