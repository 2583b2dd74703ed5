"""What was sent, by the fault during which it was, beside what was counted in the end."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

CALLS = """
UsageEvents
| where Name == "llm.call" and MissionId != ""
| summarize Times = sum(Count), Usd = sum(CostUsd) by MissionId, EventId
| summarize Ids = count(), Times = sum(Times), Usd = sum(Usd) by MissionId
"""
CENT = 0.01


@dataclass(frozen=True, slots=True)
class Figures:
    """One fault's line of the table."""

    fault: str
    times: int
    events: int
    lost: int
    doubled: int
    usd_off: float
    troubles: int
    pages_lost: int
    pages_doubled: int
    left_open: int

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was lost or doubled."""
        pages = self.pages_lost + self.pages_doubled + self.left_open
        return not (self.lost + self.doubled + pages) and abs(self.usd_off) < CENT / 10_000


@dataclass(slots=True)
class Ledger:
    """Counts what was accepted, by fault; safe for threads."""

    events: Counter[str] = field(default_factory=Counter[str])
    usd: defaultdict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    runs: Counter[str] = field(default_factory=Counter[str])
    troubles: dict[str, str] = field(default_factory=dict[str, str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self, fault: str, events: int, usd: float) -> None:
        """Note so many model calls that were accepted, and as many tasks."""
        with self._lock:
            self.events[fault] += events
            self.usd[fault] += usd

    def figures(
        self,
        calls: Sequence[Mapping[str, Any]],
        metrics: str,
        incidents: Sequence[Mapping[str, Any]],
    ) -> Iterator[Figures]:
        """Hold it beside what CALLS, /metrics and the pager's incidents say in the end."""
        logged = {row["MissionId"]: row for row in calls}
        tasks = Counter[str]()
        for family in text_string_to_metric_families(metrics):
            for sample in family.samples:
                if sample.name == "task_operations_total":
                    tasks[sample.labels["operation"]] += int(sample.value)
        trouble_of = [(one["summary"].rpartition(" ")[2], one["resolved_at"]) for one in incidents]
        paged = Counter(trouble for trouble, _ in trouble_of)
        open_ = {trouble for trouble, resolved_at in trouble_of if not resolved_at}
        for fault, events in self.events.items():
            row = logged.get(fault, {"Ids": 0, "Times": 0, "Usd": 0.0})
            mine = {trouble: paged[trouble] for trouble, of in self.troubles.items() if of == fault}
            yield Figures(
                fault,
                self.runs[fault],
                2 * events,
                lost=events - row["Ids"] + max(0, events - tasks[fault]),
                doubled=row["Times"] - row["Ids"] + max(0, tasks[fault] - events),
                usd_off=round(row["Usd"] - self.usd[fault], 9),
                troubles=len(mine),
                pages_lost=sum(not pages for pages in mine.values()),
                pages_doubled=sum(pages - 1 for pages in mine.values() if pages > 1),
                left_open=len(mine.keys() & open_),
            )
