"""The laptop's files: what is too old goes, and they shrink."""

import random
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from local.keeping import Keeping, shrink
from standin.monitor.store import MonitorStore
from standin.pager.sink import PagerSink
from tests.fakes import START, FakeClock
from tests.monitor import event

MANY = 1_000
DAY = timedelta(days=1)
CHANCE = random.Random(1)
MOST = 10**9


def keeping(store: MonitorStore, clock: FakeClock, most_bytes: int = MOST) -> Keeping:
    return Keeping(store, PagerSink(None, clock), clock, days=1, most_bytes=most_bytes)


def logged(
    store: MonitorStore, day: int, count: int, later: timedelta = timedelta(seconds=5)
) -> None:
    at = START + day * DAY + later
    error = (CHANCE.randbytes(1500).hex() for _ in range(count))
    texts = ({"id": f"{at}-{n}", "source": "s", "error": text} for n, text in enumerate(error))
    store.track([event(text, at=at) for text in texts])


def test_a_log_that_is_mostly_old_shrinks_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "monitor.duckdb"
    clock = FakeClock()
    store = MonitorStore(path, clock)
    for day in range(4):
        clock.advance(days=1)
        logged(store, day, MANY)
    assert keeping(store, clock).purge() == 2 * 3 * MANY
    store.close()
    before = path.stat().st_size
    shrink(tmp_path)
    assert path.stat().st_size < before / 2
    with closing(MonitorStore(path, clock)) as again:
        assert again.query("UsageEvents | count").rows == ((MANY,),)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_what_is_kept_is_not_written_anew(tmp_path: Path) -> None:
    with closing(MonitorStore(tmp_path / "monitor.duckdb", FakeClock())) as store:
        logged(store, 0, MANY)
    before = (tmp_path / "monitor.duckdb").stat()
    (tmp_path / "monitor.compacted").write_bytes(b"what a crash left")
    shrink(tmp_path)
    assert (tmp_path / "monitor.duckdb").stat().st_ino == before.st_ino
    assert not (tmp_path / "monitor.compacted").exists()


def test_a_database_that_is_mostly_free_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (x)")
        file.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000) "
            "INSERT INTO t SELECT randomblob(1500) FROM n"
        )
        file.execute("DELETE FROM t WHERE rowid > 100")
    before = path.stat().st_size
    shrink(tmp_path)
    assert path.stat().st_size < before / 10
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM t").fetchone() == (100,)


def test_the_pagers_old_calls_and_closed_incidents_go() -> None:
    clock = FakeClock()
    with closing(PagerSink(None, clock)) as sink:
        for key, action in (("a", "trigger"), ("b", "trigger"), ("a", "resolve")):
            body = f'"routing_key": "{"k" * 32}", "event_action": "{action}", "dedup_key": "{key}"'
            about = '"payload": {"summary": "s", "source": "s", "severity": "error"}'
            assert sink.receive("event", f"{{{body}, {about}}}".encode()).status == 202
        clock.advance(days=2)
        with closing(MonitorStore(None, clock)) as store:
            assert Keeping(store, sink, clock, days=1, most_bytes=MOST).purge() == 4
        assert sink.events() == []
        assert [incident.dedup_key for incident in sink.incidents()] == ["b"]


def test_the_oldest_goes_where_all_is_too_much(tmp_path: Path) -> None:
    clock = FakeClock(START + DAY)
    with closing(MonitorStore(tmp_path / "monitor.duckdb", clock)) as store:
        for hour in range(12):
            logged(store, 0, MANY // 3, timedelta(hours=hour))
        most = 4_000_000
        assert keeping(store, clock, most).purge() > 0
        assert keeping(store, clock, most).purge() == 0
        times = store.query("UsageEvents | summarize min(TimeGenerated), max(TimeGenerated)")
    first, last = (datetime.fromisoformat(str(at)) for at in times.rows[0])
    assert START + timedelta(hours=2) < first < last
    assert last >= START + timedelta(hours=11)
