"""A processor with all that it works on in memory, which dies when told to."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from shared.alerting.count_fast import CountFast
from shared.alerting.fast import FastCondition
from shared.alerting.tallies import NO_TALLIES, Tallies
from shared.events.envelope import judge
from shared.events.message import pack
from shared.events.types import LlmCall
from shared.metrics.points import Point
from shared.pricing.cost import Cost
from shared.rows import EventRow, Exported, ExportOutcome
from shared.usecases.processing.process import Process, Stores
from tests.factories import event
from tests.fakes import START, FakeExporter
from tests.in_memory import MemoryClaims, MemoryLabels, MemorySeries, MemoryTraces

FAST = FastCondition.model_validate({"event": "llm.call", "rate": "> 1 / s"})
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CALLS = [{**event(number=n), "time": "2026-11-23T12:29:50Z"} for n in range(3)]
SENT = [f"llm.call-{n}" for n in range(3)]


class CentPerCall:
    """Prices every call at a cent, those of the model `new` not at all."""

    def price(self, call: LlmCall, at: datetime) -> Cost:
        if call.model == "new":
            return Cost(None, "unknown", "no price")
        return Cost(Decimal("0.01") * call.count, "known", "a cent")


class Mortal(MemorySeries):
    """Totals at which the process dies when told to: before or behind the export."""

    dies = ""

    def apply(
        self, batch_id: str, points: Sequence[Point], at: datetime, tallies: Tallies = NO_TALLIES
    ) -> bool:
        if self.dies == ("totals" if batch_id.endswith(" totals") else "done"):
            raise ZeroDivisionError
        return super().apply(batch_id, points, at, tallies)


class Bench:
    """A processor with everything that it works on."""

    def __init__(self, label_max_values: int = 200, series_max: int = 2000) -> None:
        self.exporter = FakeExporter()
        self.claims = MemoryClaims()
        self.series = Mortal()
        traces = MemoryTraces()
        stores = Stores(self.claims, self.series, MemoryLabels(), traces)
        most = (label_max_values, series_max)
        count = CountFast([FAST])
        self.process = Process(stores, self.exporter, CentPerCall(), *most, lambda now: count)

    def tallied(self) -> float:
        """Return how many calls the fast condition has seen."""
        tallies = self.series.tallies(NOON)
        return sum(sum(tally.bad) for tally in tallies.values())

    def total(self, metric: str) -> Decimal:
        counters = self.series.read().counters
        return sum((v for (name, _), v in counters.items() if name == metric), Decimal(0))

    def outcomes(self) -> dict[str, Decimal]:
        counters = self.series.read().counters
        found: dict[str, Decimal] = {}
        for (name, labels), amount in counters.items():
            if name == "agentmeter_events_total":
                outcome = dict(labels)["outcome"]
                found[outcome] = found.get(outcome, Decimal(0)) + amount
        return found

    def ids(self) -> list[str]:
        return [row.text["id"] for row in self.exporter.event_rows]


def message(*given: dict[str, Any], now: datetime = START) -> str:
    events, refused = judge(given, now)
    assert refused == []
    (text,) = pack(events, now)
    return text


def for_ids(*ids: str, outcome: ExportOutcome) -> Callable[[EventRow], ExportOutcome]:
    return lambda row: outcome if row.text["id"] in ids else Exported()
