"""A processor of calls that several reports tell, and what its log, totals and tallies come to."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.alerting.count_fast import CountFast
from shared.alerting.fast import FastCondition
from shared.events.envelope import judge
from shared.events.message import pack, pack_parcels
from shared.events.otlp.read_spans import read_spans
from shared.events.otlp.span import Span
from shared.metrics.catalogue import CORRECTED
from shared.pricing.price import load
from shared.rows import EventRow
from shared.storage.claims import RowClaims
from shared.storage.labels import RowLabels
from shared.storage.memory import MemoryDatabase
from shared.storage.rows import Database
from shared.storage.series import RowSeries
from shared.storage.stores import CLAIM_PARTITIONS
from shared.storage.traces import TraceRows
from shared.usecases.processing.process import Process, Stores
from tests.factories import event
from tests.fakes import START, FakeExporter
from tests.span_log import shown_once

PRICES = load("")
SPENT = FastCondition.model_validate({"event": "llm.call", "sum": "cost_usd", "rate": "> 1 / s"})
ANSWER = "chatcmpl-0123456789abcdef0123"
BARE: dict[str, Any] = {"provider": "openai", "model": "gpt-4o", "status": "success"}
USED = {"input_tokens": 1000, "output_tokens": 100}
CACHED = {**USED, "cache_read_tokens": 900}
SHOWN = ("input_tokens", "cache_read_tokens", "cost_usd", "cost_status", "team_id")


def call(number: int, **data: object) -> dict[str, Any]:
    """Return a model call, of no usage unless told."""
    stated: dict[str, Any] = {**event(number=number), "time": "2026-11-23T12:29:50Z"}
    return {**stated, "data": {**BARE, **data}}


def posted(*given: dict[str, Any], now: datetime = START) -> str:
    """Return the queue message of events."""
    events, refused = judge(given, now)
    assert refused == []
    (text,) = pack(events, now)
    return text


def exported(*spans: Span) -> str:
    """Return the queue message of spans."""
    (text,) = pack_parcels(read_spans(spans, START, 0).parcels, START)
    return text


class Pipeline:
    """Everything that a message meets, over rows of one database."""

    def __init__(self, database: Database | None = None) -> None:
        self.database = database or MemoryDatabase()
        self.exporter = FakeExporter()
        self.process = self.another()

    def another(self) -> Process:
        """Return a processor as another instance of the app has it."""
        rows = self.database.table
        self.series = RowSeries(rows("series"))
        claims = RowClaims(rows("claims"), CLAIM_PARTITIONS)
        stores = Stores(claims, self.series, RowLabels(rows("series")), TraceRows(rows("traces")))
        fast = CountFast([SPENT])
        return Process(stores, self.exporter, PRICES, 200, fast=lambda now: fast)

    def run(self, *texts: str, delivery: int = 1, now: datetime = START) -> "Pipeline":
        for text in texts:
            self.process.run(text, delivery, now)
        return self

    def rows(self) -> list[EventRow]:
        """Return the rows of calls, each as UsageEvents shows it."""
        return shown_once(self.exporter.event_rows)

    def shown(self, *fields: str) -> list[tuple[object, ...]]:
        """Return what UsageEvents shows of these fields of the calls."""
        found = [{**row.text, **row.numbers} for row in self.rows()]
        return sorted((tuple(row.get(name) for name in fields) for row in found), key=repr)

    def counters(self) -> Mapping[str, Decimal]:
        """Return the sum of each counter."""
        sums: dict[str, Decimal] = {}
        for (name, _), amount in self.series.read().counters.items():
            sums[name] = sums.get(name, Decimal(0)) + amount
        return sums

    def counted(self) -> Mapping[str, Decimal]:
        """Return the counters of calls less what corrections took away."""
        sums = dict(self.counters())
        return {
            name: amount - sums.get(twin.name, 0)
            for name, twin in CORRECTED.items()
            for amount in [sums.get(name, Decimal(0))]
        }

    def tallied(self) -> float:
        """Return the dollars that the fast condition has seen."""
        tallies = self.series.tallies(START.replace(minute=0)).values()
        return round(sum(sum(tally.bad) for tally in tallies), 9)


Outcome = tuple[list[tuple[object, ...]], Mapping[str, Decimal], float]
"""Rows of calls, counters less corrections, dollars that a fast condition has seen."""


def outcome(pipeline: Pipeline) -> Outcome:
    """Return all that must be the same however the reports came."""
    return pipeline.shown(*SHOWN), dict(pipeline.counted()), pipeline.tallied()


def of(texts: Iterable[str]) -> Outcome:
    """Return the outcome of these messages, one after another."""
    return outcome(Pipeline().run(*texts))
