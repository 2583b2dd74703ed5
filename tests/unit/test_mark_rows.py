"""How far totals are written to AppMetrics: what a minute writes, what a crash costs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest

from shared.errors import RetryLater
from shared.mark_port import EVERY_METRIC, Written
from shared.metrics.points import SeriesState
from shared.rows import MetricRow
from shared.storage.mark import RowMark
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import Change, Insert, Put, Row, Rows
from shared.storage.series_rows import size_of
from tests.metric_rows import GOLD, REVENUE, Desk, Shaky

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METRICS = [f"metric_{n}_total" for n in range(10)]


def state(series: int, changed: int = 0, metrics: Sequence[str] = METRICS) -> SeriesState:
    """Return counters with the longest labels, of which the first few have changed."""
    letters = Random(7)
    noise = [letters.randbytes(128).hex()[:128] for _ in range(3 * series)]
    names = [(("a", noise[n]), ("b", noise[-n]), ("c", noise[n + series])) for n in range(series)]
    return SeriesState(
        {
            (metric, labels): Decimal(1 + (n < changed))
            for metric in metrics
            for n, labels in enumerate(names)
        }
    )


class Watched:
    """The rows of a mark: how much is written, and when they stop answering."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: Rows = MemoryDatabase().table("series")
        self.written = self.largest = self.commits = 0
        self.dies_after: int | None = None
        commit = self.rows.commit

        def watched(partition: str, changes: Sequence[Change]) -> None:
            if self.dies_after is not None:
                self.dies_after -= 1
                if self.dies_after < 0:
                    raise RetryLater("no answer")
            commit(partition, changes)
            size = size_of(c for c in changes if isinstance(c, Insert))
            self.written, self.largest = self.written + size, max(self.largest, size)
            self.commits += 1

        monkeypatch.setattr(self.rows, "commit", watched)

    def names(self) -> list[str]:
        return [row.key for row in self.rows.query("mark")]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def test_a_minute_writes_only_what_changed(watched: Watched) -> None:
    mark = RowMark(watched.rows)
    saved = mark.save(Written(0, NOON, state(300)))
    first, watched.written = watched.written, 0
    for changed in (1, 2, 3):
        saved = mark.save(replace(saved, totals=state(300, changed)))
    assert watched.written < first / 15
    assert RowMark(watched.rows).load() == saved


def test_what_changed_much_is_written_whole(watched: Watched) -> None:
    mark = RowMark(watched.rows)
    saved = mark.save(Written(0, NOON, state(100)))
    saved = mark.save(replace(saved, totals=state(100, 80)))
    assert len(watched.names()) == 2 * len(METRICS) + 1
    saved = mark.save(saved)  # those before go a minute later
    assert len(watched.names()) == len(METRICS) + 1
    assert mark.load().totals == saved.totals


def test_more_than_a_transaction_is_kept(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.mark.MOST_BYTES", 50_000)
    owed = [
        MetricRow(name, NOON, labels, 1.0) for name, labels in state(90, 0, METRICS[:2]).counters
    ]
    saved = RowMark(watched.rows).save(Written(0, NOON, state(90), tuple(owed)))
    assert watched.commits > 4
    assert watched.largest <= 50_000
    assert RowMark(watched.rows).load() == saved


@pytest.mark.parametrize("after", range(3))
def test_what_dies_before_the_head_changes_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("shared.storage.mark.MOST_BYTES", 50_000)
    mark = RowMark(watched.rows)
    saved = mark.save(Written(0, NOON, state(10)))
    watched.dies_after = after
    with pytest.raises(RetryLater):
        mark.save(replace(saved, totals=state(90)))
    watched.dies_after = None
    assert RowMark(watched.rows).load() == saved
    again = saved
    for _ in range(3):
        again = RowMark(watched.rows).save(replace(again, totals=state(10, 9)))
    assert len(watched.names()) == len(METRICS) + 1
    assert RowMark(watched.rows).load() == again


def damage(rows: Rows, start: str) -> None:
    """Cut the data of rows whose keys begin so."""
    for row in [row for row in rows.query("mark") if row.key.startswith(start)]:
        rows.commit("mark", [Put(row.key, {**row.fields, "data00": b"no zlib"})])


def copies(rows: Rows) -> list[Row]:
    return list(rows.query("unreadable"))


def test_damage_costs_a_metric_alone(watched: Watched) -> None:
    saved = RowMark(watched.rows).save(Written(0, NOON, state(10)))
    damage(watched.rows, METRICS[0])
    loaded = RowMark(watched.rows).load()
    assert loaded.lost == {METRICS[0]}
    assert loaded.totals == state(10, 0, METRICS[1:])
    assert [row.text("of").split(":")[0] for row in copies(watched.rows)] == [f"mark/{METRICS[0]}"]
    # As long as no minute is written anew, it stays lost, and is never counted from zero.
    assert RowMark(watched.rows).save(loaded).lost == {METRICS[0]}
    assert RowMark(watched.rows).load().lost == {METRICS[0]}
    healed = RowMark(watched.rows).load()
    RowMark(watched.rows).save(replace(healed, totals=saved.totals, lost=frozenset()))
    assert RowMark(watched.rows).load().totals == saved.totals


@pytest.mark.parametrize("start", [REVENUE, "head"])
def test_damage_writes_nothing_twice(start: str) -> None:
    desk = Desk()
    desk.earn("5")
    desk.tick()
    damage(desk.mark.rows, start)
    desk.mark = Shaky(desk.mark.rows)
    desk.earn("2")
    desk.tick()  # the two dollars are lost to AppMetrics: nothing says what was written
    desk.earn("3")
    desk.tick()
    assert [row.total for row in desk.exporter.metric_rows if row.labels == GOLD] == [5.0, 3.0]


def test_a_damaged_head_loses_all_metrics(watched: Watched) -> None:
    RowMark(watched.rows).save(Written(0, NOON, state(3)))
    damage(watched.rows, "head")
    assert RowMark(watched.rows).load() == Written(1, lost=frozenset({EVERY_METRIC}))
