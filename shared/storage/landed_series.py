"""Running totals as the edition before this store wrote them: sixteen shards, a row per metric."""

from hashlib import sha256

from shared.storage.packing import parts_of
from shared.storage.quarantine import Copies
from shared.storage.rows import Delete, Rows, commit_present, prefix
from shared.storage.series_rows import totals_of
from shared.storage.totals import Totals

_SHARDS = [f"0{digit}" for digit in "0123456789abcdef"]


class LandedSeries:
    """Reads what is there; only what is old enough is deleted."""

    def __init__(self, rows: Rows, copies: Copies) -> None:
        self._rows = rows
        self._copies = copies

    def totals(self) -> dict[str, Totals]:
        """Return the totals of each metric."""
        whole = Totals()
        for shard in _SHARDS:
            for row in self._rows.query(shard, prefix("m:")):
                whole.merge(self._copies.attempt(totals_of, row) or Totals())
        return whole.by_metric()

    def applied(self, batch_id: str) -> bool:
        """Return whether that batch was added."""
        digest = sha256(batch_id.encode()).hexdigest()
        return self._rows.get(f"0{digest[0]}", f"b:{digest}") is not None

    def forget(self, hour: str) -> int:
        """Delete the markers of batches that were added before the hour; return how many."""
        dropped = 0
        for shard in _SHARDS:
            old = self._rows.query(shard, prefix("i:"), "RowKey")
            late = (row for row in old if row.key < f"i:{hour}")
            for rows in parts_of(late, 50):
                markers = [Delete(f"b:{row.key.rpartition(':')[2]}") for row in rows]
                dropped += commit_present(self._rows, shard, markers)
                commit_present(self._rows, shard, [Delete(row.key) for row in rows])
        return dropped
