"""What fast conditions cost: of a message's processing, and of a run over all that is tallied.

`python -m bench`. A message is processed with the rules that ship, beside the same without their
fast conditions. A run judges 100 rules of 10 series each, bad in every second that is kept; it may
take a second, also where a new process reads all tallies for the first time.
"""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

from bench.measured import ROUNDS, Measured, compared, cpu_us
from bench.process import BOOK, NOW, Nowhere, batch, in_memory
from shared.adapters.config.config_folder import read_routes, rules_of
from shared.alerting.count_fast import CountFast, clock
from shared.alerting.rule import Rule
from shared.alerting.tallies import KEPT, SLICE_S, Tally, TallyKey, slice_of
from shared.ports import Table
from shared.pricing.price import load
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import EVERY, Row, Rows, Within
from shared.storage.series import RowSeries
from shared.usecases.evaluation.evaluate import Evaluate
from shared.usecases.processing.process import Process
from tests.in_memory import MemoryAlerts

CONFIG = Path(__file__).parents[1] / "config"
EVENTS, MESSAGES = 500, 4
RULES, SERIES = 100, 10
MUST = 1.15
PAGE = 1_000
SECOND_US = 1e6
A_SECOND = "a second"
RUNS = 4
FAST_EVERY = timedelta(seconds=15)
ASKED = {"condition": "> 1", "window": "PT5M", "query": "{start} {end}"}


def measure() -> list[Measured]:
    """Compare a message with and without tallies, and a run with the second that it may take."""
    return [_message(), *_full_runs()]


def _message() -> Measured:
    fast = CountFast(rule.tallied for rule in rules_of(CONFIG / "rules") if rule.tallied)
    made = partial(Process, exporter=Nowhere(), prices=load(BOOK.read_text()), label_max_values=200)
    with_it, without = made(in_memory(), fast=lambda now: fast), made(in_memory())
    numbers = count()

    def work(process: Process, texts: Sequence[str]) -> None:
        for text in texts:
            process.run(text, 1, NOW)

    def round_(number: int) -> tuple[float, float]:
        texts, of = [batch(next(numbers), EVENTS) for _ in range(MESSAGES)], EVENTS * MESSAGES
        gc.freeze()
        took = {
            process: cpu_us(partial(work, process, texts), of)
            for process in ((with_it, without) if number % 2 else (without, with_it))
        }
        return took[with_it], took[without]

    pairs = [round_(number) for number in range(ROUNDS + 2)]
    return Measured(
        "process, with tallies", "event", "without fast conditions", *compared(pairs), MUST
    )


def rules() -> Iterator[Rule]:
    """Yield rules whose conditions differ, of events by team."""
    for n in range(RULES):
        fast = {"event": "error", "where": {"component": [str(n)]}, "by": ["team_id"]}
        about = {"name": f"R{n}", "group": "bench", "severity": "warning", "summary": "s"}
        yield Rule.model_validate({**about, **ASKED, "fast": {**fast, "rate": "> 10 / s"}})


def fill(series: RowSeries, judged: Sequence[Rule]) -> None:
    """Tally so much of each series in every second that a run looks back on."""
    at = NOW.timestamp()
    bad = [20 + n % 7 for n in range(SLICE_S)]
    numbers = range(slice_of(NOW - KEPT), slice_of(NOW))
    for rule in judged:
        digest = rule.tallied.digest if rule.tallied else ""
        tallies = {
            TallyKey(digest, number, (("TeamId", str(team)),)): Tally(bad, (), {}, (at, at))
            for team in range(SERIES)
            for number in numbers
        }
        series.apply(f"fill {rule.name}", (), NOW, tallies)
    series.apply("clock", (), NOW, clock(NOW))


def evaluator(series: RowSeries, judged: Sequence[Rule]) -> Evaluate:
    routes = read_routes(CONFIG)
    return Evaluate(
        *(lambda: judged, Nothing(), MemoryAlerts(), lambda: routes, "bench", ""),
        tallies=series.tallies,
    )


class Nothing:
    """A log without rows; fits ports.UsageLog."""

    def query(self, kql: str, start: datetime, end: datetime) -> Table:
        del kql, start, end
        return Table(("value",), ())


class Counting:
    """Counts what is read as Azure Tables bills it: a page has 1,000 rows; fits Rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.reads = 0
        self.commit, self.commit_each = rows.commit, rows.commit_each

    def get(self, partition: str, key: str, *fields: str) -> Row | None:
        self.reads += 1
        return self._rows.get(partition, key, *fields)

    def get_each(self, places: Sequence[tuple[str, str]], *fields: str) -> Sequence[Row | None]:
        self.reads += len(places)
        return self._rows.get_each(places, *fields)

    def query_each(self, places: Sequence[tuple[str, Within]]) -> Sequence[Sequence[Row]]:
        return [list(self.query(partition, keys)) for partition, keys in places]

    def query(self, partitions: Within, keys: Within = EVERY, *fields: str) -> Iterator[Row]:
        self.reads += 1
        for number, row in enumerate(self._rows.query(partitions, keys, *fields), start=1):
            self.reads += not number % PAGE
            yield row


def _full_runs() -> Iterator[Measured]:
    judged, rows = list(rules()), Counting(MemoryDatabase().table("series"))
    fill(RowSeries(rows), judged)
    RowSeries(rows).compact(NOW)
    evaluate = evaluator(RowSeries(rows), judged)
    evaluate.fast(evaluate.begin(NOW))
    reads = list[int]()

    def run(evaluate: Evaluate, n: int) -> float:
        rows.reads = 0
        gc.collect()
        gc.freeze()  # as a worker does after its first call
        took = cpu_us(lambda: evaluate.fast(evaluate.begin(NOW + n * FAST_EVERY)), 1)
        reads.append(rows.reads)
        return took

    what = f"{RULES} fast conditions over {RULES * SERIES} full series"
    pairs = [(run(evaluate, n), SECOND_US) for n in range(1, RUNS)]
    yield Measured(f"{what}, {reads[-1]} table reads", "run", A_SECOND, *compared(pairs), must=1)
    fresh = [replace(evaluate, tallies=RowSeries(rows).tallies) for _ in range(1, RUNS)]
    pairs = [(run(one, n), SECOND_US) for n, one in enumerate(fresh, start=RUNS)]
    what = f"{what}, by a new process, {reads[-1]} table reads"
    yield Measured(what, "run", A_SECOND, *compared(pairs), must=1)
