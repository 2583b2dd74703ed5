"""The stand-in's memory: durable, one step per request, open to many threads."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from shared.errors import Misconfigured, RetryLater
from standin.monitor.query import Limits
from standin.monitor.refusal import QueryTimeout
from standin.monitor.store import SERVICE_LIMITS, MonitorStore
from tests.fakes import FakeClock
from tests.monitor import event, metric

ROOT = Path(__file__).parent.parent.parent
TRACKER = """
import sys
from pathlib import Path
from standin.monitor.store import MonitorStore
from tests.fakes import FakeClock
from tests.monitor import event
store = MonitorStore(Path(sys.argv[1]), FakeClock())
for batch in range(1_000_000):
    answer = store.track([event({"id": f"{batch}-{n}"}) for n in range(20)])
    print(batch if answer.status == 200 else "refused", flush=True)
"""


def count(store: MonitorStore, table: str = "UsageEvents") -> object:
    return store.query(f"{table} | count").rows[0][0]


def test_killed_after_its_answers_it_has_lost_nothing(tmp_path: Path) -> None:
    file = tmp_path / "monitor.duckdb"
    command: Sequence[str] = (sys.executable, "-c", TRACKER, str(file))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter and script
        assert process.stdout is not None
        answered = [process.stdout.readline().strip() for _ in range(8)]
        process.kill()
        answered += process.stdout.read().split()
    store = MonitorStore(file, FakeClock())
    batches = {
        str(event_id).partition("-")[0]
        for (event_id,) in store.query("UsageEvents | project EventId").rows
    }
    assert len(answered) >= 8
    assert set(answered) <= batches
    assert count(store) == 20 * len(batches), "a request is stored whole or not at all"
    assert count(store, "AppEvents") == count(store)
    store.close()


def test_what_was_tracked_is_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "monitor.duckdb"
    store = MonitorStore(file, FakeClock())
    store.track([event({"id": "1"}), metric(3)])
    store.close()
    store = MonitorStore(file, FakeClock())
    assert (count(store), count(store, "AppMetrics")) == (1, 1)
    store.close()


def test_a_file_of_an_earlier_version_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "monitor.duckdb"
    store = MonitorStore(file, FakeClock())
    store.track([event({"id": "1"})])
    store.close()
    with duckdb.connect(str(file)) as con:
        con.execute('ALTER TABLE raw."UsageEvents" DROP COLUMN "Tenant"')
        con.execute('ALTER TABLE raw."UsageEvents" DROP COLUMN "Value"')
    store = MonitorStore(file, FakeClock())
    store.track([event({"id": "2", "tenant": "t"}, {"value": 1})])
    kql = "UsageEvents | project EventId, Tenant, Value | order by EventId asc"
    assert store.query(kql).rows == (("1", "", None), ("2", "t", 1.0))
    assert store.query("UsageEvents | where Tenant == '' | count").rows == ((1,),)
    store.close()


def test_a_file_in_use_is_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "monitor.duckdb"
    command: Sequence[str] = (sys.executable, "-c", TRACKER, str(file))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter and script
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Misconfigured, match="Stop the other process"):
            MonitorStore(file, FakeClock())
        process.kill()


def test_its_clock_judges_ages_and_dates_arrivals() -> None:
    clock = FakeClock()
    store = MonitorStore(None, clock)
    clock.advance(days=300)
    assert store.track([event()]).status == 400
    assert store.track([event({"id": "1"}, at=clock.now() - timedelta(hours=1))]).status == 200
    arrivals = store.query("AppEvents | project _TimeReceived, now()").rows
    assert arrivals == ((clock.now(), clock.now()),)
    assert store.query("AppEvents | where TimeGenerated > ago(61m) | count").rows == ((1,),)


def test_a_row_that_cannot_be_stored_takes_its_whole_request_back() -> None:
    store = MonitorStore(None, FakeClock())
    with pytest.raises(duckdb.Error, match="surrogate"):
        store.track([event({"id": "1"}, {"attempt": 1}), event({"id": "\ud800"})])
    assert (count(store, "AppEvents"), count(store)) == (0, 0)
    store.track([event({"id": "1"}), event({"id": "1"})])
    assert count(store) == 2, "nothing is remembered of the request that was taken back"


def test_threads_write_and_ask_at_the_same_time() -> None:
    store = MonitorStore(None, FakeClock())
    store.track([event({"id": "first"})])
    seen: list[int] = []

    def write(thread: int) -> None:
        for batch in range(5):
            store.track([event({"id": f"{thread}-{batch}-{n}"}) for n in range(4)])

    def ask(_: int) -> None:
        for _ in range(5):
            seen.append(int(str(count(store))))

    with ThreadPoolExecutor(8) as threads:
        for done in [*threads.map(write, range(4)), *threads.map(ask, range(4))]:
            assert done is None
    assert count(store) == 81
    assert len(seen) == 20
    assert all(rows % 4 == 1 for rows in seen), "a request shows whole or not at all"


def test_a_query_that_takes_too_long_is_given_up_and_stops() -> None:
    store = MonitorStore(None, FakeClock())
    endless = "range x from 1 to 100000 step 1 | extend k = 1"
    kql = f"{endless} | join kind=inner ({endless}) on k | summarize sum(x * x1)"
    others = threading.active_count()  # of the tests before, whose pools stay
    with pytest.raises(QueryTimeout) as caught:
        store.query(kql, wait_s=0.05)
    assert isinstance(caught.value, RetryLater)
    assert store.query("print 1").rows == ((1,),)
    assert threading.active_count() <= others + 1


def test_more_rows_than_an_answer_holds_are_cut_and_said() -> None:
    assert SERVICE_LIMITS.rows == 500_000
    store = MonitorStore(None, FakeClock(), Limits(rows=5))
    answer = store.query("range x from 1 to 6 step 1")
    assert (len(answer.rows), answer.partial) == (5, True)
    answer = store.query("range x from 1 to 5 step 1")
    assert (len(answer.rows), answer.partial) == (5, False)
