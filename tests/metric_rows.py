"""A desk at which metric rows are written once a minute, with a store that may fail."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from shared.mark_port import Written
from shared.metrics.catalogue import METRICS
from shared.metrics.points import Counted, Labels, Observed, Point
from shared.rows import Exported, ExportLater, ExportOutcome, MetricRow
from shared.usecases.evaluation.write_metrics import Minutely
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryMark, MemorySeries

MINUTE = timedelta(minutes=1)
GOLD, IRON = (("pricing_tier", "gold"),), (("pricing_tier", "iron"),)
REVENUE, SECONDS, QUEUE = "revenue_usd_total", "mission_duration_seconds", "task_queue_size"
TEAM = (("team_size", "2"),)
BOUNDS = METRICS[SECONDS].buckets
REFUSED = "agentmeter_metric_rows_refused_total"


class Died(BaseException):
    """The process is gone."""


class Shaky(MemoryMark):
    """A mark whose n-th save from now on dies, or does not answer, before or after it is stored."""

    fails: Mapping[int, type[BaseException]] = {}
    after = False

    def save(self, written: Written) -> Written:
        failure = self.fails.get(0)
        self.fails = {n - 1: kind for n, kind in self.fails.items()}
        if failure and not self.after:
            raise failure("no answer")
        saved = super().save(written)
        if failure:
            raise failure("no answer")
        return saved


class Desk:
    """Totals that are added to, and what becomes of them."""

    def __init__(self) -> None:
        self.series, self.mark, self.exporter = MemorySeries(), Shaky(), FakeExporter()
        self.now, self.batches = START, 0

    def add(self, *points: Point) -> None:
        self.batches += 1
        self.series.apply(f"batch {self.batches}", points, self.now)

    def earn(self, usd: str, tier: Labels = GOLD) -> None:
        self.add(Counted(REVENUE, tier, Decimal(usd)))

    def minutely(self) -> Minutely:
        return Minutely(self.series, self.mark, lambda: self.exporter)

    def tick(self, after: timedelta = MINUTE) -> list[MetricRow]:
        """Let time pass, and write; return the rows that were taken."""
        self.now += after
        before = len(self.exporter.metric_rows)
        self.minutely().write(self.now)
        return self.exporter.metric_rows[before:]

    def earned(self) -> dict[str, float]:
        """Add up the rows."""
        sums: dict[str, float] = defaultdict(float)
        for row in self.exporter.metric_rows:
            if row.name == REVENUE:
                sums[row.labels[0][1]] += row.total
        return dict(sums)


def later(row: MetricRow) -> ExportOutcome:
    return ExportLater("Azure Monitor answered 503.")


def taken(row: MetricRow) -> ExportOutcome:
    return Exported()


def observed(*seconds: float) -> Observed:
    buckets = [0] * (len(BOUNDS) + 1)
    for each in seconds:
        buckets[sum(each > bound for bound in BOUNDS)] += 1
    return Observed(SECONDS, TEAM, len(seconds), sum(seconds), tuple(buckets))
