"""Settings become the app: the only place that chooses implementations."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from shared.connections import Connections
from shared.events.body import Limits
from shared.events.unpack import Sizes
from shared.usecases.intake.ingest import Ingest
from shared.usecases.intake.otlp import TakeOtlp
from shared.usecases.intake.rates import RateLimits
from shared.usecases.telemetry import Telemetry

if TYPE_CHECKING:
    from datetime import datetime

    from shared.answers import Answers
    from shared.clock import Clock
    from shared.configured import Configured
    from shared.evaluation_wiring import Evaluation
    from shared.ports import EventQueue, Exporter, PoisonQueue, UsageLog
    from shared.settings import Settings
    from shared.storage.stores import Storage
    from shared.usecases.evaluation.stand_in import StandIn
    from shared.usecases.evaluation.tick import Watched
    from shared.usecases.explaining.report import Report
    from shared.usecases.explaining.silences import Silences
    from shared.usecases.processing.hub_batch import HubBatch
    from shared.usecases.processing.requeue import Patient
    from shared.usecases.spending.budgets import Budgets


class App:
    """The use cases, each made when it is first asked for: a cold start loads what it uses."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self._outside = Connections(settings, clock)
        self._started_at: datetime = clock.now()

    def close(self) -> None:
        """Close what was opened. Azure ends a process without asking; tests and laptops ask."""
        self._outside.close()

    @property
    def _storage(self) -> Storage:
        """What is remembered between two invocations."""
        return self._outside.storage

    @cached_property
    def _exporter(self) -> Exporter:
        """Takes what goes into Azure Monitor."""
        return self._outside.exporter

    @cached_property
    def _log(self) -> UsageLog:
        """What was exported, to be asked in KQL."""
        return self._outside.log

    @cached_property
    def _poison(self) -> PoisonQueue:
        """What was set aside."""
        return self._outside.poison

    @property
    def queue(self) -> EventQueue:
        """Takes what was accepted."""
        return self._outside.queue

    @cached_property
    def rates(self) -> RateLimits:
        """How much each key may send."""
        return RateLimits(self.settings.RATE_LIMIT_REQUESTS, self.settings.RATE_LIMIT_EVENTS)

    @cached_property
    def ingest(self) -> Ingest:
        """Takes what agents send."""
        most = self.settings
        return Ingest(Limits(most.BATCH_MAX_EVENTS, most.BODY_MAX_BYTES, most.UNPACKED_MAX_BYTES))

    @cached_property
    def traces(self) -> TakeOtlp:
        """Takes the traces that OpenTelemetry exporters send."""
        from shared.adapters.otlp.traces import read_traces

        return TakeOtlp(read_traces, self.otlp_sizes, self.settings.OTLP_KEEP_CONTENT)

    @cached_property
    def logs(self) -> TakeOtlp:
        """Takes the logs that OpenTelemetry exporters send, where they report model calls."""
        from shared.adapters.otlp.logs import read_logs

        return TakeOtlp(read_logs, self.otlp_sizes, self.settings.OTLP_KEEP_CONTENT, "logs")

    @cached_property
    def otlp_sizes(self) -> Sizes:
        """How large an export of OpenTelemetry may be."""
        most_bytes, setting = self.settings.OTLP_MAX_BYTES, "OTLP_MAX_BYTES"
        return Sizes(most_bytes, most_bytes, setting, setting)

    @cached_property
    def process(self) -> Patient:
        """Prices, exports and counts what was taken."""
        from shared.usecases.processing.fast_rules import FastRules
        from shared.usecases.processing.give_back import GiveBack
        from shared.usecases.processing.narrow import Narrowing
        from shared.usecases.processing.process import Process, Stores
        from shared.usecases.processing.requeue import Patient

        kept, config = self._storage, self._configured
        stores = Stores(kept.claims, kept.series, kept.labels, kept.traces)
        most = self.settings.LABEL_MAX_VALUES, self.settings.SERIES_MAX
        fast = FastRules(config.rules.get)
        process = Process(stores, self._exporter, config.prices, *most, fast.count)
        narrowing = Narrowing(process.run)
        closed = partial(getattr, self._outside.exporter, "closed")
        return Patient(GiveBack(narrowing.run, kept.series, closed).run)

    @cached_property
    def process_hub(self) -> HubBatch:
        """The same for what an event hub hands over."""
        from shared.usecases.processing.hub_batch import HubBatch

        waiting, aside = self._outside.storage_queue, self._outside.set_aside
        return HubBatch(self.process.run, self._storage.claims, waiting.put, aside.put)

    @property
    def tick(self) -> Watched:
        """Does what is due, several times a minute."""
        return self._evaluation.tick

    @cached_property
    def stand_in(self) -> StandIn:
        """Judges fast conditions where the timer does not."""
        from shared.usecases.evaluation.stand_in import StandIn

        return StandIn(
            self._storage.turns, lambda now: self._evaluation.without_announcements.run_fast(now)
        )

    @cached_property
    def _evaluation(self) -> Evaluation:
        """What evaluates rules."""
        from shared.evaluation_wiring import Evaluation, Outside

        put = self.queue.put
        outside = Outside(self._storage, self._log, lambda: self._exporter, self._poison, put)
        own = self._configured, self.silences, self.budgets
        return Evaluation(self.settings, self.clock, outside, *own)

    @cached_property
    def silences(self) -> Silences:
        """The silences."""
        from shared.usecases.explaining.silences import Silences

        return Silences(self._storage.silences, self._configured.windows)

    @cached_property
    def report(self) -> Report:
        """Answers what people and machines ask."""
        from shared.usecases.explaining.report import Report

        config = {
            **self._configured.checks,
            "price list": self._outside.price_list.check,
            "meta": self._configured.check_meta,
        }
        kept = self._storage
        stores = kept.series, kept.alerts, kept.set_aside
        return Report(*stores, self._configured.rules.get, config, self._started_at)

    @cached_property
    def answers(self) -> Answers:
        """Answers questions on an alert, a cost, a piece of work."""
        from shared.answers import Answers
        from shared.usecases.evaluation.self_watch import with_own

        config = self._configured
        rules = with_own(config.rules.get, config.meta)
        alerts = self._storage.alerts
        return Answers(self._log, alerts, rules, config.routes.get, self.silences.all)

    @cached_property
    def budgets(self) -> Budgets:
        """Returns the state of each budget."""
        from shared.adapters.config.config_folder import read_budgets
        from shared.usecases.spending.budgets import Budgets

        budgets = partial(read_budgets, self.settings.AGENTMETER_CONFIG)
        return Budgets(self._log, self._storage.alerts, budgets)

    @cached_property
    def _configured(self) -> Configured:
        """What an operator edits."""
        from shared.configured import Configured

        kept, listed = self._storage.texts, self._outside.price_list
        return Configured(self.settings, self.clock, kept, listed)

    @cached_property
    def telemetry(self) -> Telemetry:
        """Sends what invocations record of themselves."""
        return Telemetry(lambda: self._exporter)
