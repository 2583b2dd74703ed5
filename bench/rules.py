"""How long a tick of the rules takes over a million stored events, beside plain SQL.

`python -m bench.rules`. The rules that ship, then ten copies of each, are evaluated in KQL over the
laptop's stand-in, with state and decisions. The reference asks DuckDB's table itself, in SQL, for
three sums over the window of each condition. Judge by the ratio; the limits are those of a laptop.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import duckdb
from pydantic_core import to_json

from local.fleet.runner import Fleet
from replay.azure import DirectExporter, DirectLog
from replay.world import SetClock
from shared.adapters.config.config_folder import read_prices, read_routes, rules_of
from shared.alerting.rule import Rule
from shared.events.body import PLAIN
from shared.events.body import Limits as BodyLimits
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.intake.ingest import Ingest
from shared.usecases.processing.process import Process, Stores
from standin.monitor.query import Limits
from standin.monitor.store import MonitorStore
from tests.in_memory import MemoryAlerts, MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

CONFIG = Path(__file__).parents[1] / "config"
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
EVENTS = 1_000_000
ROUNDS = 7
COPIES = 10
WITHIN_S = {1: 1.0, COPIES: 5.0}
"""What a tick may take, by how many times each rule is there."""
MULTIPLY = """
    INSERT INTO raw."UsageEvents" BY NAME
    SELECT stored.* REPLACE (
        "TimeGenerated" - INTERVAL 1 HOUR * n AS "TimeGenerated",
        "EventId" || '-' || n AS "EventId")
    FROM raw."UsageEvents" AS stored, range(1, $copies) AS copies (n)
"""
PLAIN_SQL = """
    SELECT sum("Count"), sum("CostUsd"), sum("Count") FILTER (WHERE "Status" = 'error')
    FROM raw."UsageEvents"
    WHERE "TimeGenerated" >= $start AND "TimeGenerated" < $end
"""


def fill(path: Path) -> int:
    """Store an hour of the fleet, priced, and copies of it in the hours before; return how many."""
    clock = SetClock(NOW)
    store = MonitorStore(path, clock)
    stores = Stores(MemoryClaims(), MemorySeries(), MemoryLabels(), MemoryTraces())
    process = Process(stores, DirectExporter(store), read_prices(CONFIG), 200)
    ingest = Ingest(BodyLimits(500, 2**40, 2**40))
    events = Fleet(1, NOW - HOUR, incidents=False).events_between(NOW - HOUR, NOW)
    for first in range(0, len(events), 500):
        body = b"[%s]" % b",".join(map(to_json, events[first : first + 500]))
        for message in ingest.accept(body, {"content-type": PLAIN}, NOW).messages:
            process.run(message, 1, NOW)
    store.close()
    copies = -(-EVENTS // len(events))
    with duckdb.connect(str(path)) as database:
        database.execute(MULTIPLY, {"copies": copies})
    return copies * len(events)


def copied(rules: Sequence[Rule], times: int) -> list[Rule]:
    """Return each rule so many times, with queries that no cache takes for one."""
    return [
        rule.model_copy(
            update={
                "name": f"{rule.name}_{n}",
                "query": f"{rule.query}// {n}",
            }
        )
        for n in range(times)
        for rule in rules
    ]


def ticks(store: MonitorStore, rules: Sequence[Rule]) -> Callable[[datetime], object]:
    """Return what evaluates the rules at a minute."""
    routes = read_routes(CONFIG)
    evaluate = Evaluate(
        lambda: rules, DirectLog(store), MemoryAlerts(), lambda: routes, "bench", ""
    )

    def tick(at: datetime) -> None:
        report = evaluate.tick(at)
        assert report.complete, [item.error for item in report.rules if item.error]

    return tick


def plain(path: Path, rules: Sequence[Rule]) -> Callable[[datetime], object]:
    """Return what asks for as many windows, in SQL."""
    database = duckdb.connect(str(path), read_only=True)
    conditions = [condition for rule in rules for condition in rule.conditions]

    def ask(at: datetime) -> None:
        for condition in conditions:
            end = (at - condition.offset).replace(tzinfo=None)
            window = {"start": end - condition.window, "end": end}
            database.execute(PLAIN_SQL, window).fetchall()

    return ask


def measured_s(work: Callable[[datetime], object]) -> list[float]:
    """Time the work at the minutes before NOW, but for the first, in which queries are new."""
    took: list[float] = []
    for n in range(ROUNDS + 1):
        gc.collect()
        began = perf_counter()
        work(NOW - (ROUNDS - n) * MINUTE)
        took.append(perf_counter() - began)
    return took[1:]


def main() -> None:
    shipped = rules_of(CONFIG / "rules")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.duckdb"
        sys.stdout.write(f"{fill(path):,} events are stored\n")
        for times, within_s in WITHIN_S.items():
            rules = copied(shipped, times)
            reference = measured_s(plain(path, rules))
            store = MonitorStore(path, SetClock(NOW), Limits(threads=1))
            took = measured_s(ticks(store, rules))
            store.close()
            conditions = sum(len(rule.conditions) for rule in rules)
            verdict = "within" if median(took) <= within_s else "OVER"
            sys.stdout.write(
                f"{len(rules):3} rules, {conditions:3} conditions: {median(took):.3f} s a tick, "
                f"{min(took):.3f} at best, {verdict} {within_s:.0f} s; "
                f"{min(took) / min(reference):.1f} times plain SQL ({min(reference):.3f} s)\n"
            )


if __name__ == "__main__":
    main()
