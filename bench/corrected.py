"""What corrections cost a query: UsageEvents of which a fifth was corrected, beside none.

`python -m bench`. Both hold as many calls, in an hour; the sum of their cost is asked.
"""

from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from bench.measured import ROUNDS, Measured, compared, cpu_us
from standin.monitor.store import MonitorStore
from tests.fakes import START, FakeClock
from tests.monitor import event

CALLS, COPIES = 1_000, 500
FIFTH = 5
MUST = 2.0
ASKED = 'UsageEvents | where Name == "llm.call" | summarize value = sum(CostUsd) by TeamId'
TIMES = 5
MULTIPLY = """
    INSERT INTO raw."UsageEvents" BY NAME
    SELECT stored.* REPLACE ("EventId" || '-' || n AS "EventId")
    FROM raw."UsageEvents" AS stored, range(1, ?) AS copies (n)
"""


def measure() -> list[Measured]:
    """Ask both in turns."""
    with ExitStack() as closes:
        folder = Path(closes.enter_context(TemporaryDirectory()))
        plain, corrected = (
            closes.enter_context(closing(_filled(folder / f"{share}.duckdb", share)))
            for share in (0, CALLS // FIFTH)
        )
        pairs = [(_asked(corrected), _asked(plain)) for _ in range(ROUNDS)]
    ours, theirs, ratio = compared(pairs)
    what = f"a query of {CALLS * COPIES:,} calls, 20 % corrected"
    return [Measured(what, "query", "the same, none corrected", ours, theirs, ratio, MUST)]


def _filled(path: Path, corrected: int) -> MonitorStore:
    with closing(MonitorStore(path, FakeClock())) as store:
        store.track([_call(number, {}) for number in range(CALLS)])
        store.track([_call(number, {"attempt": 100_001.0}) for number in range(corrected)])
    with duckdb.connect(str(path)) as database:
        database.execute(MULTIPLY, [COPIES])
    return MonitorStore(path, FakeClock())


def _call(number: int, more: dict[str, float]) -> dict[str, object]:
    text = {"id": f"e-{number}", "source": "bench", "team": f"t-{number % 20}"}
    return event(text, {"usd": 0.01, **more}, START, "llm.call")


def _asked(store: MonitorStore) -> float:
    def work() -> None:
        for _ in range(TIMES):
            store.query(ASKED)

    return cpu_us(work, TIMES)
