"""Running totals in Azure Tables: sixteen shards, in each a row per metric and one per batch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from azure.data.tables import TableServiceClient

from shared.adapters.storage_tables import ATTEMPTS, Conflict, Rows, in_parallel
from shared.adapters.tables_row import (
    MOST_OPERATIONS,
    Operation,
    Row,
    create,
    delete,
    hour_of,
    packed,
    parts_of,
    replace,
    unpacked,
)
from shared.adapters.totals import Totals
from shared.alerting.tallies import NO_TALLIES, Tallies, dumped, loaded, merge_all, slice_of
from shared.errors import RetryLater
from shared.metrics.own import SERIES_CAPPED
from shared.metrics.points import Counted, Point, SeriesState
from shared.metrics.prometheus import STALE_AFTER

MOST_SAMPLES = 2_000
"""Samples of a gauge in one shard, by labels and source: as many as surely fit into a row."""
_SHARDS = [f"0{digit}" for digit in "0123456789abcdef"]


class TableSeries:
    """Totals that every instance of the app shares; fits ports.SeriesStore.

    A batch goes into the shard that its id names, so that few writers meet, and its marker is
    written in the same transaction as what it adds: it counts once, whatever crashes when.
    A marker is two rows: `b:<batch>`, which applied() finds by its key, and `i:<hour>:<batch>`,
    which forget() finds by its age. forget() drops whole hours.
    """

    def __init__(self, service: TableServiceClient) -> None:
        self._rows = Rows(service, "series")

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        """Add the points in one step, once per batch_id; False if that batch was added before.

        Raises:
            RetryLater: the table did not answer, or others were faster too often.
            GiveUp: a metric has more series than a row holds.
        """
        shard, batch = _place(batch_id)
        marker = [create(shard, f"b:{batch}", {}), create(shard, f"i:{hour_of(at)}:{batch}", {})]
        if tallies:
            fields = packed(dumped(tallies), "the tallies of a message. Send fewer events at once.")
            marker.append(create(shard, f"t:{slice_of(at):012}:{batch}", fields))
        for _ in range(ATTEMPTS):
            try:
                self._rows.commit([*marker, *self._additions(shard, points, at)])
            except Conflict:
                if self.applied(batch_id):
                    return False
            else:
                return True
        raise RetryLater("Others added to the same series; the queue brings the message again.")

    def applied(self, batch_id: str) -> bool:
        """Tell whether that batch was added before."""
        shard, batch = _place(batch_id)
        return self._rows.get(shard, f"b:{batch}") is not None

    def read(self) -> SeriesState:
        """Return every series."""
        totals = Totals()
        for rows in in_parallel(lambda shard: list(self._metrics(shard)), _SHARDS):
            for row in rows:
                totals.merge(_totals(row))
        return totals.state()

    def tallies(self, since: datetime) -> Tallies:
        """Return what was tallied in the slices from that moment on."""
        where = f"RowKey ge 't:{slice_of(since):012}' and RowKey lt 't;'"

        def read(shard: str) -> list[Tallies]:
            rows = self._rows.query(f"PartitionKey eq '{shard}' and {where}")
            return [loaded(unpacked(row)) for row in rows]

        found = merge_all(part for parts in in_parallel(read, _SHARDS) for part in parts)
        return {key: tally for key, tally in found.items() if key.slice >= slice_of(since)}

    def forget(self, before: datetime) -> int:
        """Drop the memory of batches added in the hours before that moment's; return how many."""
        hour, tally = hour_of(before), slice_of(before)
        return sum(in_parallel(lambda shard: self._forget(shard, hour, tally), _SHARDS))

    def _additions(self, shard: str, points: Sequence[Point], at: datetime) -> Iterator[Operation]:
        stored = {row.key: row for row in self._metrics(shard)}
        for metric, totals in _grown(stored, points, at).items():
            row = stored.get(f"m:{metric}")
            fields = packed(_text(totals), f"the series of {metric}. Lower SERIES_MAX.")
            yield (
                replace(shard, row.key, fields, row.etag)
                if row
                else create(shard, f"m:{metric}", fields)
            )

    def _metrics(self, shard: str) -> Iterator[Row]:
        where = f"PartitionKey eq '{shard}' and RowKey ge 'm:' and RowKey lt 'm;'"
        return self._rows.query(where)

    def _forget(self, shard: str, hour: str, tally: int) -> int:
        where = f"PartitionKey eq '{shard}' and RowKey ge 'i:' and RowKey lt 'i:{hour}'"
        dropped = 0
        for rows in parts_of(self._rows.query(where, "RowKey"), MOST_OPERATIONS // 2):
            markers = [f"b:{row.key.rpartition(':')[2]}" for row in rows]
            dropped += self._rows.commit_present([delete(shard, marker) for marker in markers])
            self._rows.commit_present([delete(shard, row.key) for row in rows])
        tallied = f"PartitionKey eq '{shard}' and RowKey ge 't:' and RowKey lt 't:{tally:012}'"
        for rows in parts_of(self._rows.query(tallied, "RowKey"), MOST_OPERATIONS):
            self._rows.commit_present([delete(shard, row.key) for row in rows])
        return dropped


def _place(batch_id: str) -> tuple[str, str]:
    digest = sha256(batch_id.encode()).hexdigest()
    return f"0{digest[0]}", digest


def _grown(
    stored: Mapping[str, Row], points: Sequence[Point], at: datetime
) -> Mapping[str, Totals]:
    """Return the totals of each metric that the points change, with the points added."""
    grown: dict[str, Totals] = {}

    def totals_of(metric: str) -> Totals:
        if metric not in grown:
            grown[metric] = _totals(stored.get(f"m:{metric}"))
        return grown[metric]

    for point in points:
        totals_of(point.metric).add([point])
    for metric, totals in list(grown.items()):
        totals.drop_gauges(at)
        if dropped := totals.drop_oldest_gauges(MOST_SAMPLES, at - STALE_AFTER):
            said = Counted(SERIES_CAPPED.name, (("metric", metric),), Decimal(dropped))
            totals_of(said.metric).add([said])
    return grown


def _totals(row: Row | None) -> Totals:
    totals = Totals()
    for line in json.loads(unpacked(row)) if row else ():
        totals.take(*line)
    return totals


def _text(totals: Totals) -> str:
    return json.dumps(list(totals.lines()), separators=(",", ":"), ensure_ascii=False)
